{#- The query for the moments of which spells and forecasts are made: as-of, and, for a backtest, each of so many weeks
    before it, one by one. -#}
{% macro moments() -%}
    {%- for weeks in range((setting('backtest_weeks') or 0) | int + 1) %}
    select {{ days_before(as_of(), 7 * weeks) }} as moment, {{ 'true' if weeks == 0 else 'false' }} as is_as_of
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
