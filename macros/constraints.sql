{#- What holds for every value of a column, whatever the data: what its type and meta say. DuckDB enforces it in tables with
    a contract, and `studyflow check` reads the rows of those that lack a constraint. Times are left to the check: webhooks
    say them, and a wrong one must not stop a build. -#}

{#- The condition, as SQL after the name of the column; empty if any value may be there. -#}
{% macro condition_on(column) -%}
    {%- set meta = column.get('config', {}).get('meta', {}) -%}
    {%- if column.data_type == 'varchar' -%} <> ''
    {%- elif column.data_type == 'double' and meta.get('unit') == 'share' -%} between 0 and 1
    {%- elif column.data_type in ['smallint', 'integer', 'bigint', 'double'] -%} >= {{ meta.get('at_least', 0) }}
    {%- endif -%}
{%- endmacro %}

{#- The column as `create table` has it. -#}
{% macro column_with_constraints(column) -%}
    {%- set condition = condition_on(column) -%}
    "{{ column.name }}" {{ column.data_type }}
    {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null{% endif %}
    {%- if condition %} check ("{{ column.name }}"{{ condition }}){% endif %}
{%- endmacro %}
