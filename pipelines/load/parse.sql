-- Parses canonical lines, which are most lines. A line is canonical if its values, written again in Rally's form or in
-- that of Python's json.dumps, with or without the envelope, give the same bytes. The function set_aside() (parsing.py)
-- collects all other lines for the judge and returns false for each, so that no row comes from them here.

-- RFC 3339, in years that stay within the range for any offset.
create or replace temp macro canonical_instant(text) as
    case
        when regexp_full_match(
            text,
            '[12]\d{3}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)'
        )
            then try_cast(text as timestamptz)
    end;

-- A webhook with these members. The two forms differ in the spacing after colons and commas.
create or replace temp macro canonical_line(
    colon, comma, svix_id, received_at, participant_id, person_id, study_id, status, prior_status, updated_at, ending
) as
    concat(
        if(
            svix_id is not null,
            concat(
                concat('{"svix_id"', colon), to_json(svix_id),
                concat(comma, '"received_at"', colon), to_json(received_at),
                concat(comma, '"payload"', colon)
            ),
            ''
        ),
        concat('{"_eventType"', colon, '"participant.status_changed"', comma, '"participantId"', colon),
        to_json(participant_id),
        concat(comma, '"personId"', colon), to_json(person_id),
        concat(comma, '"studyId"', colon), to_json(study_id),
        concat(comma, '"status"', colon), to_json(status),
        concat(comma, '"priorStatus"', colon), coalesce(to_json(prior_status), 'null'),
        concat(comma, '"updatedAt"', colon), to_json(updated_at),
        ending
    );

-- One row per canonical line of `arriving` (file_id, line_number, raw), with the same columns as from the judge.
create or replace temp view judged_lines as

with

-- Invalid UTF-8 is dropped, so such a line differs from its text and is not canonical. Long lines are never canonical.
decoded as (
    select
        file_id,
        line_number,
        raw,
        case when octet_length(raw) < 65536 then decode(raw, 'ignore') end as text
    from arriving
),

cut as (
    select
        *,
        string_split(text, '"') as parts,
        if(starts_with(text, '{"svix_id":'), 10, 0) as envelope_parts
    from decoded
),

named as (
    select
        file_id,
        line_number,
        raw,
        text,
        if(envelope_parts > 0, parts[4], null) as svix_id,
        if(envelope_parts > 0, parts[8], null) as received_text,
        parts[8 + envelope_parts] as participant_id,
        parts[12 + envelope_parts] as person_id,
        parts[16 + envelope_parts] as study_id,
        parts[20 + envelope_parts] as status,
        case when parts[23 + envelope_parts] in (':', ': ') then parts[24 + envelope_parts] end as prior_status,
        parts[-2] as updated_text,
        parts[-1] as ending,
        parts[3] = ': ' as is_spaced
    from cut
),

timed as (
    select
        *,
        canonical_instant(received_text) as received_at,
        canonical_instant(updated_text) as updated_at
    from named
),

compared as (
    select
        *,
        coalesce(
            text = canonical_line(
                if(is_spaced, ': ', ':'), if(is_spaced, ', ', ','), svix_id, received_text, participant_id, person_id,
                study_id, status, prior_status, updated_text, ending
            )
            and rtrim(ending, e'\r\n') = if(svix_id is not null, '}}', '}')
            and strlen(text) = octet_length(raw)
            and participant_id <> ''
            and person_id <> ''
            and study_id <> ''
            and status <> ''
            and updated_at is not null
            and (received_text is null or received_at is not null),
            false
        ) as is_canonical
    from timed
)

select
    file_id,
    line_number,
    raw,
    'accepted' as outcome,
    cast(null as varchar) as reason,
    'participant.status_changed' as event_type,
    svix_id,
    received_at,
    participant_id,
    person_id,
    study_id,
    status,
    prior_status,
    updated_at,
    false as says_more,
    0 as position,
    cast(null as varchar) as shape
from compared
where case when is_canonical then true else set_aside(file_id, line_number, raw) end;
