{#- The text of a member of a JSON object, by its path; null if the member is missing or the document is not valid
    JSON. -#}
{% macro json_text(document, path) -%}{{ return(adapter.dispatch('json_text')(document, path)) }}{%- endmacro %}
{% macro spark__json_text(document, path) -%}get_json_object({{ document }}, '$.{{ path }}'){%- endmacro %}
{% macro duckdb__json_text(document, path) -%}try({{ document }} ->> '$.{{ path }}'){%- endmacro %}
