-- One row per line of `lines` (file_id, line_number, raw, document, is_long, says_more): what it is and what it says.
-- `document` is what to parse. It is `raw`, but for lines that have been looked at again (strict_json.py).
-- is_long: not looked at yet, because its size would ask too much of DuckDB. says_more: than `document` does.
-- is_contested: DuckDB's parser may have been too kind to this line, so it must be looked at again.

create or replace temp macro is_string(json, path) as
    coalesce(json_type(json, path) = 'VARCHAR', false);

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
        is_long,
        says_more,
        if(is_long, null, try(decode(document))) as text
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
            -- a member's name can be written with escapes, so a line that has any is looked at, too
            when kind = 'OBJECT' and (contains(text, '"payload"') or contains(text, '\'))
                then json_exists(text, '$.payload') and not json_exists(text, '$._eventType')
            else false
        end as is_envelope
    from typed
),

unwrapped as (
    select
        *,
        case when is_envelope then json_type(text, '$.payload') else kind end as body_kind,
        case
            when is_envelope then json_extract(text, '$.payload')::varchar
            when kind = 'OBJECT' then text
        end as body_text,
        case when is_envelope then text end as envelope
    from enveloped
),

parsed as (
    select
        *,
        case
            when body_kind = 'OBJECT'
                then from_json(
                    body_text,
                    '{"_eventType": "VARCHAR", "participantId": "VARCHAR", "personId": "VARCHAR",
                      "studyId": "VARCHAR", "status": "VARCHAR", "priorStatus": "VARCHAR", "updatedAt": "VARCHAR"}'
                )
        end as body,
        case when body_kind = 'OBJECT' then json_type(body_text, '$.*') end as member_types
    from unwrapped
),

-- has_the_members: the body has the members that are modelled, each once, all of them strings, and no others.
shaped as (
    select
        *,
        body._eventType is null or body._eventType = ''
        or body.participantId is null or body.participantId = ''
        or body.personId is null or body.personId = ''
        or body.studyId is null or body.studyId = ''
        or body.status is null or body.status = ''
        or body.updatedAt is null or body.updatedAt = '' as lacks_a_member,
        case
            when lacks_a_member then false
            when body.priorStatus is not null
                then member_types = ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR']
            when len(list_filter(member_types, lambda type: type = 'VARCHAR')) = 6
                then len(member_types) = 6 + json_exists(body_text, '$.priorStatus')::int
            else false
        end as has_the_members
    from parsed
),

judged as (
    select
        *,
        case
            when has_the_members then body._eventType <> 'participant.status_changed'
            else body._eventType not in ('', 'participant.status_changed') and is_string(body_text, '$._eventType')
        end as is_other_event,
        rfc3339_instant(body.updatedAt) as instant,
        case
            when kind is null then 'invalid_json'
            when body_kind <> 'OBJECT' then 'not_an_object'
            when is_other_event then null
            when lacks_a_member then 'missing_field'
            when not has_the_members and not (
                is_string(body_text, '$._eventType')
                and is_string(body_text, '$.participantId')
                and is_string(body_text, '$.personId')
                and is_string(body_text, '$.studyId')
                and is_string(body_text, '$.status')
                and (body.priorStatus is null or is_string(body_text, '$.priorStatus'))
                and is_string(body_text, '$.updatedAt')
            ) then 'invalid_type'
            when instant is null then 'invalid_timestamp'
        end as reason,
        reason is null and not coalesce(is_other_event, false) as is_delivery,
        case when is_string(envelope, '$.svix_id') then envelope ->> '$.svix_id' end as svix_id,
        case
            when is_string(envelope, '$.received_at') then rfc3339_instant(envelope ->> '$.received_at')
        end as received_at
    from shaped
),

weighed as (
    select
        *,
        is_delivery
        and has_the_members
        and not says_more
        and case
            when is_envelope
                then len(json_keys(envelope)) = 1 + (svix_id is not null)::int + (received_at is not null)::int
            else true
        end as is_said_by_columns
    from judged
)

select
    file_id,
    line_number,
    reason,
    case when is_delivery or is_other_event or is_string(body_text, '$._eventType') then body._eventType end
        as event_type,
    if(is_delivery, body.participantId, null) as participant_id,
    if(is_delivery, body.personId, null) as person_id,
    if(is_delivery, body.studyId, null) as study_id,
    if(is_delivery, body.status, null) as status,
    if(is_delivery, body.priorStatus, null) as prior_status,
    if(is_delivery, instant, null) as updated_at,
    svix_id,
    received_at,
    is_said_by_columns,
    -- looked at first, so it asks nothing of JSON
    case
        when starts_with(text, '{') then false
        else coalesce(trim(text, e' \t\n\x0b\x0c\r') = '', false)
    end as is_blank,
    text is null as is_no_text,
    is_long or coalesce(
        case
            when kind is null then starts_with(text, chr(65279))
            when is_said_by_columns and not is_envelope then regexp_matches(text, ',\s*\}\s*$')
            else
                regexp_matches(text, '(?i)(^|[:\[,\s])[-+]?(nan|inf)|,\s*[}\]]')
                or len(list_distinct(json_keys(envelope))) < len(json_keys(envelope))
                or len(list_distinct(json_keys(body_text))) < len(json_keys(body_text))
        end,
        false
    ) as is_contested,
    raw
from weighed;
