-- `parsed_lines` without what people are in it who were forgotten: of their lines stays where they stood, with the
-- reason 'forgotten', and the whole line of others that mention them goes. A line that needs a second look is withheld
-- if it mentions them: what it says is not known yet.
create or replace temp view kept_lines as

with

judged as (
    select
        *,
        participant_id is not null
        and (is_forgotten_person(person_id) or is_forgotten_participant(participant_id)) as is_theirs,
        case
            when is_blank or (is_said_by_columns and not is_contested) then false
            else mentions_forgotten(coalesce(try(decode(raw)), readable(raw)))
        end as mentions_them
    from parsed_lines
),

decided as (
    select
        *,
        is_theirs or (mentions_them and (participant_id is null or is_contested)) as is_withheld
    from judged
)

select
    file_id,
    line_number,
    if(is_withheld, 'forgotten', reason) as reason,
    if(is_withheld, null, event_type) as event_type,
    if(is_withheld, null, participant_id) as participant_id,
    if(is_withheld, null, person_id) as person_id,
    if(is_withheld, null, study_id) as study_id,
    if(is_withheld, null, status) as status,
    if(is_withheld, null, prior_status) as prior_status,
    if(is_withheld, null, updated_at) as updated_at,
    if(is_withheld, null, svix_id) as svix_id,
    if(is_withheld, null, received_at) as received_at,
    is_said_by_columns or is_withheld as is_said_by_columns,
    is_blank,
    is_no_text and not is_withheld as is_no_text,
    is_contested and not is_withheld as is_contested,
    if(is_theirs or mentions_them, null, raw) as raw
from decided;
