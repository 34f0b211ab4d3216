{#- A query that repeats each row of a relation for every day from the column `first_day` to `last_day`, both included,
    in the new column `day`. Days before the var `daily_tables_from` are left out. If last_day is before first_day,
    there is no row. -#}
{% macro each_day(relation, columns, first_day, last_day) -%}
    {%- set first_shown = "greatest(" ~ first_day ~ ", cast('" ~ var('daily_tables_from') ~ "' as date))" -%}
    {{ return(adapter.dispatch('each_day')(relation, columns, first_shown, last_day)) }}
{%- endmacro %}
{% macro spark__each_day(relation, columns, first_day, last_day) -%}
    select
        {{ columns | join(', ') }},
        explode(sequence({{ first_day }}, {{ last_day }})) as day
    from {{ relation }}
    where {{ first_day }} <= {{ last_day }}
{%- endmacro %}
{% macro duckdb__each_day(relation, columns, first_day, last_day) -%}
    select
        {{ columns | join(', ') }},
        cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date) as day
    from {{ relation }}
{%- endmacro %}
