{#- 64 bits that stand for an id within one engine. Equal ids have equal keys; a data test fails should two ids share one.
    Keys are for joining and grouping: their order means nothing, and no result may depend on it. -#}
{% macro id_key(id) -%}{{ return(adapter.dispatch('id_key')(id)) }}{%- endmacro %}
{% macro spark__id_key(id) -%}xxhash64({{ id }}){%- endmacro %}
{% macro duckdb__id_key(id) -%}hash({{ id }}){%- endmacro %}
