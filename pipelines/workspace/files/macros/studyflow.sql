{#- dbt uses the materializations of a package only if the project calls them. Those of studyflow build its models
    faster, and read its reference tables from data/reference/ of this project. Your own models and seeds use those of
    dbt. -#}

{% materialization table, adapter='duckdb' %}
    {%- if model.package_name == 'studyflow' -%}{{ return(studyflow.materialization_table_duckdb()) }}{%- endif -%}
    {{ return(dbt.materialization_table_duckdb()) }}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {%- if model.package_name == 'studyflow' -%}{{ return(studyflow.materialization_incremental_duckdb()) }}{%- endif -%}
    {{ return(dbt.materialization_incremental_duckdb()) }}
{% endmaterialization %}

{% materialization seed, adapter='duckdb' %}
    {%- if model.package_name == 'studyflow' -%}{{ return(studyflow.materialization_seed_duckdb()) }}{%- endif -%}
    {{ return(dbt.materialization_seed_default()) }}
{% endmaterialization %}

{#- On Spark, every table is a folder of Parquet files, and every build is a full build, including your own models. -#}

{% materialization incremental, adapter='spark' %}
    {{ return(studyflow.materialization_incremental_spark()) }}
{% endmaterialization %}

{% materialization view, adapter='spark' %}
    {{ return(studyflow.materialization_view_spark()) }}
{% endmaterialization %}

{% materialization seed, adapter='spark' %}
    {%- if model.package_name == 'studyflow' -%}{{ return(studyflow.materialization_seed_spark()) }}{%- endif -%}
    {{ return(dbt.materialization_seed_default()) }}
{% endmaterialization %}

{% macro spark__file_format_clause() %}{{ return(studyflow.spark__file_format_clause()) }}{% endmacro %}

{% macro spark__location_clause() %}{{ return(studyflow.spark__location_clause()) }}{% endmacro %}

{% macro spark__persist_constraints(relation, model) %}
    {{ return(studyflow.spark__persist_constraints(relation, model)) }}
{% endmacro %}

{% macro spark__get_empty_schema_sql(columns) %}{{ return(studyflow.spark__get_empty_schema_sql(columns)) }}{% endmacro %}

{% macro spark__load_csv_rows(model, agate_table) %}
    {{ return(studyflow.spark__load_csv_rows(model, agate_table)) }}
{% endmacro %}
