{#- A text in lower case, letter by letter as in DuckDB. Spark has special rules for a sigma at the end of a word and
    for the Turkish dotted and dotless i. -#}
{% macro lower_case(text) -%}{{ return(adapter.dispatch('lower_case')(text)) }}{%- endmacro %}
{% macro spark__lower_case(text) -%}lower(translate({{ text }}, 'Σİ', 'σi')){%- endmacro %}
{% macro duckdb__lower_case(text) -%}lower({{ text }}){%- endmacro %}
