{#- Constraints of columns, from their type and meta in YAML. DuckDB enforces them in tables with a contract. In other
    tables, `studyflow check` reads the rows. Times have no constraints, because they come from webhooks, and a wrong
    time must not stop a build. The check covers them. -#}

{#- The condition, as SQL that follows the name of the column; empty if all values are allowed. -#}
{% macro condition_on(column) -%}
    {%- set meta = column.get('config', {}).get('meta', {}) -%}
    {%- if column.data_type == 'varchar' -%} <> ''
    {%- elif column.data_type == 'double' and meta.get('unit') == 'share' -%} between 0 and 1
    {%- elif column.data_type in ['smallint', 'integer', 'bigint', 'double'] -%} >= {{ meta.get('at_least', 0) }}
    {%- endif -%}
{%- endmacro %}

{#- The definition of the column for `create table`. -#}
{% macro column_with_constraints(column) -%}
    {%- set condition = condition_on(column) -%}
    "{{ column.name }}" {{ column.data_type }}
    {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null{% endif %}
    {%- if condition %} check ("{{ column.name }}"{{ condition }}){% endif %}
{%- endmacro %}
