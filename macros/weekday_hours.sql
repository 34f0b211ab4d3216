{#- Whole hours from a fixed Monday to an instant, without Saturdays and Sundays (UTC). The difference between two of
    these numbers is the time on weekdays between the instants. -#}
{% macro weekday_hours(instant) -%}
    {%- set hours = '(' ~ whole_hour(instant) ~ ' + 72)' -%}
    (120 * floor({{ hours }} / 168e0) + least({{ hours }} % 168, 120))
{%- endmacro %}
