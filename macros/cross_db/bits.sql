{#- A number shifted right. Spark parses `>>` after the word `array` as the end of a nested type. -#}
{% macro shifted_right(number, bits) -%}{{ return(adapter.dispatch('shifted_right')(number, bits)) }}{%- endmacro %}
{% macro spark__shifted_right(number, bits) -%}shiftright({{ number }}, {{ bits }}){%- endmacro %}
{% macro duckdb__shifted_right(number, bits) -%}({{ number }} >> {{ bits }}){%- endmacro %}
