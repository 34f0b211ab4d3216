{#- Whether a regular expression matches the whole text. It must not have backslashes, which Spark removes from
    literals. -#}
{% macro matches_pattern(text, pattern) -%}{{ return(adapter.dispatch('matches_pattern')(text, pattern)) }}{%- endmacro %}
{% macro spark__matches_pattern(text, pattern) -%}({{ text }} rlike '^({{ pattern }})$'){%- endmacro %}
{% macro duckdb__matches_pattern(text, pattern) -%}regexp_full_match({{ text }}, '{{ pattern }}'){%- endmacro %}
