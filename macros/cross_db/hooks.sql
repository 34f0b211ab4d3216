{#- What hooks do before and after models. DuckDB's forms, and why they are there, stand in macros/raw_tables.sql, share_bound.sql
    and builds/begin_build.sql. -#}

{% macro raw_tables() %}{{ return(adapter.dispatch('raw_tables')()) }}{% endmacro %}

{#- On Spark they are folders of Parquet files that pipelines/spark wrote, with the columns that sources.yml describes. Those of
    studies.csv and people.csv follow in read_reference_files(). -#}
{% macro spark__raw_tables() %}
    {%- if execute -%}
        {%- do run_query('create schema if not exists raw') -%}
        {%- do make_raw_table_of_files('file_rows', {'file_name': 'string', 'cells': 'map<string, string>'}) -%}
        {%- do make_raw_table_of_files('parts', {'part_id': 'int'}) -%}
        {%- for source in graph.sources.values() if source.package_name == 'studyflow' and not source.name.endswith('_file') -%}
            {%- set types = types_of_columns(source.columns) -%}
            {%- if source.name == 'deliveries' -%}
                {%- set columns = types.keys() | join(', ') -%}
                {%- do types.update({'part_id': 'int'}) -%}
                {%- do make_raw_table_of_files('delivered', types, env_var('STUDYFLOW_SPARK_LINES', 'delivered')) -%}
                {%- do run_query(deliveries_of_parts(columns)) -%}
            {%- else -%}
                {%- do make_raw_table_of_files(source.name, types) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- A place that is no absolute path is one in the folder of the schema. Files may lie in folders there. A server of Spark
    remembers the table of an earlier run, and which files it had: it is made anew. -#}
{% macro make_raw_table_of_files(name, types, place=name) -%}
    {%- do run_query('drop table if exists raw.' ~ name) -%}
    {%- call statement() -%}
        create table raw.{{ name }} (
            {%- for column, type in types.items() %}{{ column }} {{ type }}{{ ", " if not loop.last }}{% endfor -%}
        ) using parquet options (recursiveFileLookup 'true')
        location '{{ place | replace("\\", "\\\\") | replace("'", "\\'") }}'
    {%- endcall -%}
{%- endmacro %}

{#- The lines that are loaded now: folders of others stay for a while, for those who still read them. -#}
{% macro deliveries_of_parts(columns) -%}
    create or replace view raw.deliveries as
    select {{ columns }} from raw.delivered where part_id in (select part_id from raw.parts)
{%- endmacro %}

{#- What Spark reads is a copy, which is made again after an upgrade. -#}
{% macro refuse_other_format() %}{{ return(adapter.dispatch('refuse_other_format')()) }}{% endmacro %}
{% macro spark__refuse_other_format() %}{% endmacro %}

{#- What dbt calls the macro with which a project says how its seeds are made. -#}
{% macro materialization_of_seeds() %}{{ return(adapter.dispatch('materialization_of_seeds')()) }}{% endmacro %}
{% macro duckdb__materialization_of_seeds() %}{{ return('materialization_seed_duckdb') }}{% endmacro %}
{% macro spark__materialization_of_seeds() %}{{ return('materialization_seed_spark') }}{% endmacro %}

{#- Queries outside dbt, which call these functions, go to DuckDB. -#}
{% macro share_functions() %}{{ return(adapter.dispatch('share_functions')()) }}{% endmacro %}
{% macro spark__share_functions() %}{% endmacro %}

{#- On Spark every build makes everything anew, so none needs to know what the last one was. -#}
{% macro begin_build() %}{{ return(adapter.dispatch('begin_build')()) }}{% endmacro %}
{% macro spark__begin_build() %}{% endmacro %}

{% macro end_build(results) %}{{ return(adapter.dispatch('end_build')(results)) }}{% endmacro %}
{% macro spark__end_build(results) %}{% endmacro %}
