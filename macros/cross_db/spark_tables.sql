{#- How Spark makes tables: each a folder of Parquet files, named like the table, in the folder of its schema. dbt asks for
    these macros by name. -#}

{% macro spark__file_format_clause() -%}using parquet{%- endmacro %}

{#- Files of an earlier build that lie there are replaced. -#}
{% macro spark__location_clause() -%}location '{{ model.alias }}'{%- endmacro %}

{#- Plain files keep no constraints. What a contract says of columns has been compared with the query by then, and data tests
    look for nulls. -#}
{% macro spark__persist_constraints(relation, model) -%}{%- endmacro %}

{#- Every build makes everything anew: rows of plain files cannot be replaced. -#}
{% materialization incremental, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{#- A view would only be there for Spark, and not for those who read the files. -#}
{% materialization view, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{#- A seed has the rows that were checked. -#}
{% materialization seed, adapter='spark' %}
    {%- if not model.config.column_types -%}{{ return(dbt.materialization_seed_default()) }}{%- endif -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- do adapter.drop_relation(target) -%}
    {%- call statement('main') -%}{{ new_table(target, rows_of_file(model.name, model.config.column_types)) }}{%- endcall -%}
    {%- do store_result('agate_table', response='OK') -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
