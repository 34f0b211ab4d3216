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
