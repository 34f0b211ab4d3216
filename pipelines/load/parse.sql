-- One row per line of `lines` (file_id, line_number, raw, document): what it is and what it says.
-- `document` is what to parse. It is `raw`, but for lines that have been looked at again (strict_json.py).
-- is_contested: DuckDB's parser may have been too kind to this line, so it must be looked at again.

-- The text of a JSON string, null for any other value. `has_escapes` is false only where no string can have any.
create or replace temp macro string_value(json, has_escapes) as
    case
        when not starts_with(json, '"') then null
        when has_escapes then json ->> '$'
        else substr(json, 2, length(json) - 2)
    end;

create or replace temp macro rfc3339_instant(text) as
    case
        when regexp_full_match(
            text,
            '\d{4}-\d{2}-\d{2}[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)'
        )
            then case
                -- an offset can carry the first and the last year out of the range
                when text between '0002' and '9999'
                    or try_cast(upper(text) as timestamptz)
                    between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59.999999+00'
                    then try_cast(upper(text) as timestamptz)
            end
    end;

create or replace temp view parsed_lines as

with

decoded as (
    select
        file_id,
        line_number,
        raw,
        try(decode(document)) as text,
        contains(text, '\') as has_escapes,
        contains(text, '"payload"') or has_escapes as may_be_envelope
    from lines
),

typed as (
    select
        *,
        case when json_valid(text) then if(left(text, 1) = '{', 'OBJECT', json_type(text)) end as kind
    from decoded
),

enveloped as (
    select
        *,
        case
            when kind = 'OBJECT' and may_be_envelope
                then json_exists(text, '$.payload') and not json_exists(text, '$._eventType')
            else false
        end as is_envelope
    from typed
),

unwrapped as (
    select
        *,
        case when is_envelope then json_type(text, '$.payload') else kind end as body_kind,
        case when is_envelope then json_extract(text, '$.payload')::varchar else text end as body_text
    from enveloped
),

parsed as (
    select
        *,
        case
            when body_kind = 'OBJECT'
                then from_json(
                    body_text,
                    '{"_eventType": "JSON", "participantId": "JSON", "personId": "JSON", "studyId": "JSON",
                      "status": "JSON", "priorStatus": "JSON", "updatedAt": "JSON"}'
                )
        end as body
    from unwrapped
),

worded as (
    select
        *,
        string_value(body._eventType, has_escapes) as event_type,
        string_value(body.participantId, has_escapes) as participant_id,
        string_value(body.personId, has_escapes) as person_id,
        string_value(body.studyId, has_escapes) as study_id,
        string_value(body.status, has_escapes) as status,
        string_value(body.priorStatus, has_escapes) as prior_status,
        string_value(body.updatedAt, has_escapes) as updated_text,
        case when is_envelope and json_type(text, '$.svix_id') = 'VARCHAR' then text ->> '$.svix_id' end as svix_id,
        case
            when is_envelope and json_type(text, '$.received_at') = 'VARCHAR'
                then rfc3339_instant(text ->> '$.received_at')
        end as received_at
    from parsed
),

judged as (
    select
        *,
        event_type not in ('', 'participant.status_changed') as is_other_event,
        rfc3339_instant(updated_text) as updated_at,
        case
            when kind is null then 'invalid_json'
            when body_kind <> 'OBJECT' then 'not_an_object'
            when is_other_event then null
            when
                body._eventType is null or event_type = ''
                or body.participantId is null or participant_id = ''
                or body.personId is null or person_id = ''
                or body.studyId is null or study_id = ''
                or body.status is null or status = ''
                or body.updatedAt is null or updated_text = ''
                then 'missing_field'
            when
                event_type is null
                or participant_id is null
                or person_id is null
                or study_id is null
                or status is null
                or (prior_status is null and body.priorStatus is not null)
                or updated_text is null
                then 'invalid_type'
            when updated_at is null then 'invalid_timestamp'
        end as reason
    from worded
),

weighed as (
    select
        *,
        reason is null and not coalesce(is_other_event, false) as is_delivery,
        case
            when not is_delivery then false
            when is_envelope and (
                len(json_keys(text)) <> 1 + (svix_id is not null)::int + (received_at is not null)::int
            ) then false
            when prior_status is null
                then len(json_keys(body_text)) = 6 + json_exists(body_text, '$.priorStatus')::int
            else len(json_keys(body_text)) = 7
        end as is_said_by_columns
    from judged
)

select
    file_id,
    line_number,
    reason,
    event_type,
    if(is_delivery, participant_id, null) as participant_id,
    if(is_delivery, person_id, null) as person_id,
    if(is_delivery, study_id, null) as study_id,
    if(is_delivery, status, null) as status,
    if(is_delivery, prior_status, null) as prior_status,
    if(is_delivery, updated_at, null) as updated_at,
    svix_id,
    received_at,
    is_said_by_columns,
    case
        when kind is null then coalesce(trim(text, e' \t\n\x0b\x0c\r') = '', false)
        else false
    end as is_blank,
    coalesce(
        case
            when kind is null then starts_with(text, chr(65279))
            when is_said_by_columns and not is_envelope then regexp_matches(text, ',\s*\}\s*$')
            else
                regexp_matches(text, '(?i)(^|[:\[,\s])[-+]?(nan|inf)|,\s*[}\]]')
                or len(list_distinct(json_keys(text))) < len(json_keys(text))
                or len(list_distinct(json_keys(body_text))) < len(json_keys(body_text))
        end,
        false
    ) as is_contested,
    raw
from weighed;
