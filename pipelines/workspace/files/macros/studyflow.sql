{#- dbt lets a package make its tables and seeds its own way only where the project says so. Of the models of studyflow that
    is faster; its reference tables are read from data/reference/ of this project only that way. -#}

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

{#- On Spark, every table is a folder of Parquet files, and every build makes all of them anew, those of your own models, too. -#}

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
