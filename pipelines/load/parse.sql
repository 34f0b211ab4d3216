-- What DuckDB and the judge (judge.py) make of lines.
-- Most lines need no judging. They are canonical: cut at their quotes and written again in Rally's own form, with or
-- without the envelope, they give the same bytes. All other lines go to judge().

-- As RFC 3339 has it, and in years in which no offset leads out of the range.
create or replace temp macro canonical_instant(text) as
    case
        when regexp_full_match(
            text,
            '[12]\d{3}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)'
        )
            then try_cast(text as timestamptz)
    end;

-- One row per line of `arriving` (file_id, line_number, raw), with the members of its judgement.
create or replace temp view judged_lines as

with

-- Without bytes that are no UTF-8, so that such a line differs from its text. Long lines are never canonical.
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
        if(parts[23 + envelope_parts] = ':', parts[24 + envelope_parts], null) as prior_status,
        parts[-2] as updated_text,
        parts[-1] as ending
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
            text = concat(
                if(
                    svix_id is not null,
                    concat('{"svix_id":', to_json(svix_id), ',"received_at":', to_json(received_text), ',"payload":'),
                    ''
                ),
                '{"_eventType":"participant.status_changed","participantId":', to_json(participant_id),
                ',"personId":', to_json(person_id),
                ',"studyId":', to_json(study_id),
                ',"status":', to_json(status),
                ',"priorStatus":', coalesce(to_json(prior_status), 'null'),
                ',"updatedAt":', to_json(updated_text),
                ending
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
),

judged as (
    select
        *,
        case when not is_canonical then judge(raw) end as judgement
    from compared
)

select
    file_id,
    line_number,
    raw,
    if(is_canonical, 'accepted', judgement.outcome) as outcome,
    if(is_canonical, null, judgement.reason) as reason,
    if(is_canonical, 'participant.status_changed', judgement.event_type) as event_type,
    if(is_canonical, svix_id, judgement.svix_id) as svix_id,
    if(is_canonical, received_at, judgement.received_at) as received_at,
    if(is_canonical, participant_id, judgement.participant_id) as participant_id,
    if(is_canonical, person_id, judgement.person_id) as person_id,
    if(is_canonical, study_id, judgement.study_id) as study_id,
    if(is_canonical, status, judgement.status) as status,
    if(is_canonical, prior_status, judgement.prior_status) as prior_status,
    if(is_canonical, updated_at, judgement.updated_at) as updated_at,
    if(is_canonical, false, judgement.says_more) as says_more
from judged;
