-- One row per line of `lines` (file_id, line_number, raw, document): what it is and what it says.
-- `document` is what to parse. It is `raw`, but for lines that have been looked at again (strict_json.py).
-- is_contested: DuckDB's parser may have been too kind to this line, so it must be looked at again.

create or replace temp macro members() as
    '{"_eventType": "JSON", "participantId": "JSON", "personId": "JSON", "studyId": "JSON", "status": "JSON",
      "priorStatus": "JSON", "updatedAt": "JSON", "payload": "JSON", "svix_id": "JSON", "received_at": "JSON"}';

-- The text of a JSON string, null for any other value.
create or replace temp macro string_value(json) as
    case
        when left(json, 1) <> '"' then null
        when contains(json, '\') then json ->> '$'
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
    select file_id, line_number, raw, try(decode(document)) as text
    from lines
),

typed as (
    select
        *,
        case when json_valid(text) then if(left(text, 1) = '{', 'OBJECT', json_type(text)) end as kind
    from decoded
),

opened as (
    select
        *,
        case when kind = 'OBJECT' then from_json(text, members()) end as top
    from typed
),

enveloped as (
    select
        *,
        kind = 'OBJECT' and top._eventType is null and top.payload is not null as is_envelope,
        case when is_envelope then json_type(top.payload) else kind end as body_kind
    from opened
),

unwrapped as (
    select
        *,
        case
            when not is_envelope then top
            when body_kind = 'OBJECT' then from_json(top.payload, members())
        end as body,
        case
            when not is_envelope and kind = 'OBJECT' then text
            when body_kind = 'OBJECT' then top.payload
        end as body_text
    from enveloped
),

worded as (
    select
        *,
        string_value(body._eventType) as event_type,
        string_value(body.participantId) as participant_id,
        string_value(body.personId) as person_id,
        string_value(body.studyId) as study_id,
        string_value(body.status) as status,
        string_value(body.priorStatus) as prior_status,
        string_value(body.updatedAt) as updated_text,
        string_value(top.svix_id) as svix_id,
        rfc3339_instant(string_value(top.received_at)) as received_at
    from unwrapped
),

judged as (
    select
        *,
        event_type not in ('', 'participant.status_changed') as is_other_event,
        rfc3339_instant(updated_text) as updated_at,
        case
            when kind is null then 'invalid_json'
            when body_kind is distinct from 'OBJECT' then 'not_an_object'
            when is_other_event then null
            when
                coalesce(body._eventType, '""') = '""'
                or coalesce(body.participantId, '""') = '""'
                or coalesce(body.personId, '""') = '""'
                or coalesce(body.studyId, '""') = '""'
                or coalesce(body.status, '""') = '""'
                or coalesce(body.updatedAt, '""') = '""'
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
        case
            when reason is not null or is_other_event then false
            when is_envelope and (
                len(json_keys(text)) <> 1 + (top.svix_id is not null)::int + (top.received_at is not null)::int
                or (svix_id is null) <> (top.svix_id is null)
                or (received_at is null) <> (top.received_at is null)
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
    case when reason is null and not is_other_event then participant_id end as participant_id,
    case when reason is null and not is_other_event then person_id end as person_id,
    case when reason is null and not is_other_event then study_id end as study_id,
    case when reason is null and not is_other_event then status end as status,
    case when reason is null and not is_other_event then prior_status end as prior_status,
    case when reason is null and not is_other_event then updated_at end as updated_at,
    case when is_envelope then svix_id end as svix_id,
    case when is_envelope then received_at end as received_at,
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
    text,
    raw
from weighed;
