{#- A query for the as-of times of spells: the as-of time of the run, in a backtest also that of each past week, and the
    times two weeks before each of these. Times that are only needed to measure the pace get no forecasts. -#}
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
