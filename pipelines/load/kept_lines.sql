-- The rows of `judged_{rows}` as rows of `raw.deliveries`. The whole line (in a batch, the part with the delivery) is
-- kept if it has more than the columns, if it is rejected, or if a status is unknown. is_withheld: the delivery is
-- about someone who was forgotten, so only its position is kept. If a delivery about another person mentions them, the
-- columns are kept, but not the line.
create or replace temp view kept_{rows} as

with

compared as (
    select
        *,
        coalesce(is_forgotten_person(person_id) or is_forgotten_participant(participant_id), false) as is_about_forgotten,
        mentions_forgotten(case when says_more then raw end) as mentions_them
    from judged_{rows}
),

decided as (
    select
        *,
        is_about_forgotten or (mentions_them and participant_id is null) as is_withheld,
        not is_about_forgotten
        and not mentions_them
        and (
            says_more
            or status not in (select known_statuses.status from known_statuses)
            or prior_status not in (select known_statuses.status from known_statuses)
        ) as is_kept_whole
    from compared
)

select
    file_id,
    line_number,
    position,
    is_withheld,
    shape,
    if(is_withheld, null, reason) as reason,
    if(is_withheld, null, event_type) as event_type,
    if(is_withheld, null, participant_id) as participant_id,
    if(is_withheld, null, person_id) as person_id,
    if(is_withheld, null, study_id) as study_id,
    if(is_withheld, null, status) as status,
    if(is_withheld, null, prior_status) as prior_status,
    if(is_withheld, null, updated_at) as updated_at,
    if(is_withheld, null, svix_id) as svix_id,
    if(is_withheld, null, received_at) as received_at,
    case when is_kept_whole then regexp_replace(try(decode(raw)), '\r?\n?$', '') end as line,
    case when is_kept_whole and try(decode(raw)) is null then raw end as line_bytes
from decided;
