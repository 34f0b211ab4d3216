{#- A text in small letters. Spark knows that a sigma at the end of a word is written otherwise, and that Turkish has an i with
    and without a dot; DuckDB takes each letter on its own. -#}
{% macro lower_case(text) -%}{{ return(adapter.dispatch('lower_case')(text)) }}{%- endmacro %}
{% macro spark__lower_case(text) -%}lower(translate({{ text }}, 'Σİ', 'σi')){%- endmacro %}
{% macro duckdb__lower_case(text) -%}lower({{ text }}){%- endmacro %}
