{#- Invalid UTF-8 as text. Backslashes, and bytes that are not printable ASCII, are shown like \xFF. -#}
{% macro escaped_bytes(bytes) -%}{{ return(adapter.dispatch('escaped_bytes')(bytes)) }}{%- endmacro %}
{% macro duckdb__escaped_bytes(bytes) -%}
    replace(replace(
        regexp_replace(cast({{ bytes }} as varchar), '(\\x0D)?(\\x0A)?$', ''),
        '\x22', '"'), '\x27', '''')
{%- endmacro %}

{% macro spark__escaped_bytes(bytes) -%}
    regexp_replace(
        array_join(
            transform(
                sequence(1, length({{ bytes }})),
                i -> case
                    when hex(substring({{ bytes }}, i, 1)) between '20' and '7E' and hex(substring({{ bytes }}, i, 1)) <> '5C'
                        then decode(substring({{ bytes }}, i, 1), 'US-ASCII')
                    else concat('\\x', hex(substring({{ bytes }}, i, 1)))
                end
            ),
            ''
        ),
        '(\\\\x0D)?(\\\\x0A)?$', ''
    )
{%- endmacro %}

{#- A delivery as JSON, made from its columns. Used for lines that were not kept because the columns hold all of
    their content. -#}
{% macro delivery_as_json() -%}{{ return(adapter.dispatch('delivery_as_json')()) }}{%- endmacro %}
{% macro duckdb__delivery_as_json() -%}
    cast(json_object(
        '_eventType', event_type, 'participantId', participant_id, 'personId', person_id, 'studyId', study_id,
        'status', status, 'priorStatus', prior_status, 'updatedAt', strftime(updated_at, '%Y-%m-%dT%H:%M:%S.%fZ')
    ) as varchar)
{%- endmacro %}
{% macro spark__delivery_as_json() -%}
    to_json(
        named_struct(
            '_eventType', event_type, 'participantId', participant_id, 'personId', person_id, 'studyId', study_id,
            'status', status, 'priorStatus', prior_status,
            'updatedAt', date_format(updated_at, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
        ),
        map('ignoreNullFields', 'false')
    )
{%- endmacro %}
