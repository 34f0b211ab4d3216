{#- An expression in which a name stands for a value, like `let`. The value is computed once, while an engine may
    compute a column again wherever it is used. The name must not be a column of the query, because DuckDB would use the
    column. -#}
{% macro given(name, value, expression) -%}{{ return(adapter.dispatch('given')(name, value, expression)) }}{%- endmacro %}
{% macro spark__given(name, value, expression) -%}transform(array({{ value }}), {{ name }} -> {{ expression }})[0]{%- endmacro %}
{% macro duckdb__given(name, value, expression) -%}list_transform([{{ value }}], lambda {{ name }}: {{ expression }})[1]{%- endmacro %}
