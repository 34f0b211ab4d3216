{#- A query with a row for each of these integers. -#}
{% macro numbered(name, numbers) -%}
    {%- for number in numbers -%}
        select {{ number }} as {{ name }}{{ ' union all ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
