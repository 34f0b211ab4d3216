{#- A query of whole numbers, one a row. -#}
{% macro numbered(name, numbers) -%}
    {%- for number in numbers -%}
        select {{ number }} as {{ name }}{{ ' union all ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
