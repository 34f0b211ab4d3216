{#- A number without its lowest bits. Spark takes `>>` for the end of two types where `array` stands before it. -#}
{% macro shifted_right(number, bits) -%}{{ return(adapter.dispatch('shifted_right')(number, bits)) }}{%- endmacro %}
{% macro spark__shifted_right(number, bits) -%}shiftright({{ number }}, {{ bits }}){%- endmacro %}
{% macro duckdb__shifted_right(number, bits) -%}({{ number }} >> {{ bits }}){%- endmacro %}
