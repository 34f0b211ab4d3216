-- What DuckDB and the judge (judge.py) make of lines.
-- Most lines need no judging. They are canonical: cut at their quotes and written again in Rally's own form, or in that
-- of Python's json.dumps, with or without the envelope, they give the same bytes. All other lines go to judge(), which
-- puts aside the deliveries of a line that is a batch, and says that the line is blank.

-- As RFC 3339 has it, and in years in which no offset leads out of the range.
create or replace temp macro canonical_instant(text) as
    case
        when regexp_full_match(
            text,
            '[12]\d{3}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)'
        )
            then try_cast(text as timestamptz)
    end;

-- A webhook with these members. The two forms differ in the text at a colon and at a comma.
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

-- One row per line of `arriving` (file_id, line_number, raw), with the members of its judgement. raw is the delivery in the
-- line, if that is not the line.
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
            text = if(
                is_spaced,
                canonical_line(
                    ': ', ', ', svix_id, received_text, participant_id, person_id, study_id, status, prior_status,
                    updated_text, ending
                ),
                canonical_line(
                    ':', ',', svix_id, received_text, participant_id, person_id, study_id, status, prior_status,
                    updated_text, ending
                )
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
        case when not is_canonical then judge(file_id, line_number, raw) end as judgement
    from compared
)

select
    file_id,
    line_number,
    coalesce(judgement.text, raw) as raw,
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
    if(is_canonical, false, judgement.says_more) as says_more,
    0 as position,
    judgement.shape as shape
from judged;
