{#- Whether a regular expression matches the whole text. It must not have backslashes, which Spark removes from
    literals. -#}
{% macro is_as(text, pattern) -%}{{ return(adapter.dispatch('is_as')(text, pattern)) }}{%- endmacro %}
{% macro spark__is_as(text, pattern) -%}({{ text }} rlike '^({{ pattern }})$'){%- endmacro %}
{% macro duckdb__is_as(text, pattern) -%}regexp_full_match({{ text }}, '{{ pattern }}'){%- endmacro %}
