{#- Tables that hooks and seeds create from a query. -#}

{#- Creates a table that does not exist yet. -#}
{% macro new_table(relation, query) -%}{{ return(adapter.dispatch('new_table')(relation, query)) }}{%- endmacro %}
{% macro duckdb__new_table(relation, query) -%}create table {{ relation }} as {{ query }}{%- endmacro %}
{% macro spark__new_table(relation, query) -%}
    create table {{ relation }} using parquet location '{{ relation.identifier }}' as {{ query }}
{%- endmacro %}

{#- Creates or replaces a table. On Spark it is a view, because tables cannot be replaced there. -#}
{% macro replace_with(relation, query) -%}{{ return(adapter.dispatch('replace_with')(relation, query)) }}{%- endmacro %}
{% macro duckdb__replace_with(relation, query) -%}create or replace table {{ relation }} as {{ query }}{%- endmacro %}
{% macro spark__replace_with(relation, query) -%}create or replace view {{ relation }} as {{ query }}{%- endmacro %}
