{#- Whole hours from a Monday long ago up to an instant, Saturdays and Sundays (UTC) left out: the difference of two is the time that
    passed on weekdays. -#}
{% macro weekday_hours(instant) -%}
    {%- set hours = '(' ~ whole_hour(instant) ~ ' + 72)' -%}
    (120 * floor({{ hours }} / 168e0) + least({{ hours }} % 168, 120))
{%- endmacro %}
