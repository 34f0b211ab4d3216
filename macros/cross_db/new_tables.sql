{#- Tables that hooks and seeds make of a query. -#}

{#- A table that is not there yet. -#}
{% macro new_table(relation, query) -%}{{ return(adapter.dispatch('new_table')(relation, query)) }}{%- endmacro %}
{% macro duckdb__new_table(relation, query) -%}create table {{ relation }} as {{ query }}{%- endmacro %}
{% macro spark__new_table(relation, query) -%}
    create table {{ relation }} using parquet location '{{ relation.identifier }}' as {{ query }}
{%- endmacro %}

{#- What takes the place of what has this name, if anything has: on Spark a view, since tables are not replaced there. -#}
{% macro replace_with(relation, query) -%}{{ return(adapter.dispatch('replace_with')(relation, query)) }}{%- endmacro %}
{% macro duckdb__replace_with(relation, query) -%}create or replace table {{ relation }} as {{ query }}{%- endmacro %}
{% macro spark__replace_with(relation, query) -%}create or replace view {{ relation }} as {{ query }}{%- endmacro %}
