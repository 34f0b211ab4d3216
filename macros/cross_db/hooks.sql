{#- What hooks do before and after models. DuckDB's forms, and why they are there, stand in macros/raw_tables.sql, share_bound.sql
    and builds/begin_build.sql. -#}

{% macro raw_tables() %}{{ return(adapter.dispatch('raw_tables')()) }}{% endmacro %}

{#- On Spark they are folders of Parquet files that pipelines/spark wrote, with the columns that sources.yml describes. Those of
    studies.csv and people.csv follow in read_reference_files(). -#}
{% macro spark__raw_tables() %}
    {%- if execute -%}
        {%- do run_query('create schema if not exists raw') -%}
        {%- for source in graph.sources.values() if not source.name.endswith('_file') -%}
            {%- do run_query(raw_table_of_files(source.name, types_of_columns(source.columns))) -%}
        {%- endfor -%}
        {%- do run_query(raw_table_of_files('file_rows', {'file_name': 'string', 'cells': 'map<string, string>'})) -%}
    {%- endif -%}
{% endmacro %}

{#- A place that is no absolute path is one in the folder of the schema. -#}
{% macro raw_table_of_files(name, types) -%}
    create table if not exists raw.{{ name }} (
        {%- for column, type in types.items() %}{{ column }} {{ type }}{{ ", " if not loop.last }}{% endfor -%}
    ) using parquet location '{{ name }}'
{%- endmacro %}

{#- What Spark reads is a copy, which is made again after an upgrade. -#}
{% macro refuse_other_format() %}{{ return(adapter.dispatch('refuse_other_format')()) }}{% endmacro %}
{% macro spark__refuse_other_format() %}{% endmacro %}

{#- Queries outside dbt, which call these functions, go to DuckDB. -#}
{% macro share_functions() %}{{ return(adapter.dispatch('share_functions')()) }}{% endmacro %}
{% macro spark__share_functions() %}{% endmacro %}

{#- On Spark every build makes everything anew, so none needs to know what the last one was. -#}
{% macro begin_build() %}{{ return(adapter.dispatch('begin_build')()) }}{% endmacro %}
{% macro spark__begin_build() %}{% endmacro %}

{% macro end_build(results) %}{{ return(adapter.dispatch('end_build')(results)) }}{% endmacro %}
{% macro spark__end_build(results) %}{% endmacro %}
