{#- An expression in which a name stands for a value. The value is computed once, unlike a column that an engine may write out
    wherever it is named. The name must be no column of the query, or DuckDB takes the column for it. -#}
{% macro given(name, value, expression) -%}{{ return(adapter.dispatch('given')(name, value, expression)) }}{%- endmacro %}
{% macro spark__given(name, value, expression) -%}transform(array({{ value }}), {{ name }} -> {{ expression }})[0]{%- endmacro %}
{% macro duckdb__given(name, value, expression) -%}list_transform([{{ value }}], lambda {{ name }}: {{ expression }})[1]{%- endmacro %}
