{#- Whether a whole text is as a regular expression says. Write it without backslashes: Spark takes them out of literals. -#}
{% macro is_as(text, pattern) -%}{{ return(adapter.dispatch('is_as')(text, pattern)) }}{%- endmacro %}
{% macro spark__is_as(text, pattern) -%}({{ text }} rlike '^({{ pattern }})$'){%- endmacro %}
{% macro duckdb__is_as(text, pattern) -%}regexp_full_match({{ text }}, '{{ pattern }}'){%- endmacro %}
