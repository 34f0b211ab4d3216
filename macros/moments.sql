{#- The query for the moments of which spells are made: as-of, for a backtest each of so many weeks before it, and two weeks before
    each of these, to see how many completed since. Forecasts are not made of the latter. -#}
{% macro moments() -%}
    {%- set backtested = (setting('backtest_weeks') or 0) | int -%}
    {%- for weeks in range(backtested + 3) if weeks != 1 or backtested > 0 %}
    select
        {{ days_before(as_of(), 7 * weeks) }} as moment,
        {{ 'true' if weeks == 0 else 'false' }} as is_as_of,
        {{ 'true' if weeks <= backtested else 'false' }} as is_forecast
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
