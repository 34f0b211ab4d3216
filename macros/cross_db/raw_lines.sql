{#- Bytes that are no UTF-8 as text: those that are not printable ASCII, and backslashes, are shown like \xFF. -#}
{% macro escaped_bytes(bytes) -%}{{ return(adapter.dispatch('escaped_bytes')(bytes)) }}{%- endmacro %}
{% macro duckdb__escaped_bytes(bytes) -%}
    replace(replace(
        regexp_replace(cast({{ bytes }} as varchar), '(\\x0D)?(\\x0A)?$', ''),
        '\x22', '"'), '\x27', '''')
{%- endmacro %}

{#- A delivery written out again, where its columns say all that the line said. -#}
{% macro delivery_as_json() -%}{{ return(adapter.dispatch('delivery_as_json')()) }}{%- endmacro %}
{% macro duckdb__delivery_as_json() -%}
    cast(json_object(
        '_eventType', event_type, 'participantId', participant_id, 'personId', person_id, 'studyId', study_id,
        'status', status, 'priorStatus', prior_status, 'updatedAt', strftime(updated_at, '%Y-%m-%dT%H:%M:%S.%fZ')
    ) as varchar)
{%- endmacro %}
