{#- A 64-bit key for an id: a hash, which differs between engines. A data test fails if two ids share a key. Keys are
    for joins and grouping; no result may depend on their order. -#}
{% macro id_key(id) -%}{{ return(adapter.dispatch('id_key')(id)) }}{%- endmacro %}
{% macro spark__id_key(id) -%}xxhash64({{ id }}){%- endmacro %}
{% macro duckdb__id_key(id) -%}hash({{ id }}){%- endmacro %}
