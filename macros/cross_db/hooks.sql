{#- The macros that hooks call before and after models. Their versions for DuckDB, with explanations, are in
    macros/raw_tables.sql, share_bound.sql and builds/begin_build.sql. -#}

{% macro raw_tables() %}{{ return(adapter.dispatch('raw_tables')()) }}{% endmacro %}

{#- On Spark, the raw tables are folders of Parquet files that pipelines/spark wrote, with the columns in sources.yml.
    The tables for studies.csv and people.csv are made by read_reference_files(). -#}
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

{#- A table over the Parquet files in a place and its subfolders. A relative path is relative to the folder of the
    schema. Drops the table first, because a Spark server may still have it from an earlier run, with the old list of
    files. -#}
{% macro make_raw_table_of_files(name, types, place=name) -%}
    {%- do run_query('drop table if exists raw.' ~ name) -%}
    {%- call statement() -%}
        create table raw.{{ name }} (
            {%- for column, type in types.items() %}{{ column }} {{ type }}{{ ", " if not loop.last }}{% endfor -%}
        ) using parquet options (recursiveFileLookup 'true')
        location '{{ place | replace("\\", "\\\\") | replace("'", "\\'") }}'
    {%- endcall -%}
{%- endmacro %}

{#- The current lines. Folders with earlier ones stay for a while, because readers may still use them. -#}
{% macro deliveries_of_parts(columns) -%}
    create or replace view raw.deliveries as
    select {{ columns }} from raw.delivered where part_id in (select part_id from raw.parts)
{%- endmacro %}

{#- On Spark nothing needs to be checked: the raw tables are a copy, which is written again after an upgrade. -#}
{% macro refuse_other_format() %}{{ return(adapter.dispatch('refuse_other_format')()) }}{% endmacro %}
{% macro spark__refuse_other_format() %}{% endmacro %}

{#- The name of the macro with which a project overrides the materialization of seeds. -#}
{% macro materialization_of_seeds() %}{{ return(adapter.dispatch('materialization_of_seeds')()) }}{% endmacro %}
{% macro duckdb__materialization_of_seeds() %}{{ return('materialization_seed_duckdb') }}{% endmacro %}
{% macro spark__materialization_of_seeds() %}{{ return('materialization_seed_spark') }}{% endmacro %}

{#- Not needed on Spark, because queries outside dbt run on DuckDB. -#}
{% macro share_functions() %}{{ return(adapter.dispatch('share_functions')()) }}{% endmacro %}
{% macro spark__share_functions() %}{% endmacro %}

{#- Not needed on Spark, because every build there is a full build. -#}
{% macro begin_build() %}{{ return(adapter.dispatch('begin_build')()) }}{% endmacro %}
{% macro spark__begin_build() %}{% endmacro %}

{% macro end_build(results) %}{{ return(adapter.dispatch('end_build')(results)) }}{% endmacro %}
{% macro spark__end_build(results) %}{% endmacro %}
