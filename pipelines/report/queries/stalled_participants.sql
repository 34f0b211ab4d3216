-- Who has been in a stage for longer than 90 % of participants were, the most recent first: they are the most likely to answer.
--   participant_id | Participant | code: marts.ageing_participants.participant_id
--   days | In the stage | days: marts.ageing_participants.hours_in_stage
--   to_move | By hand | flag finished? warn: marts.ageing_participants.is_to_be_moved_by_hand
--   study | Study | name: marts.study_progress.study_name
--   status | Status | name: marts.ageing_participants.current_status_label
select
    ageing.participant_id,
    coalesce(studies.study_name, ageing.study_id) as study,
    ageing.current_status_label as status,
    ageing.hours_in_stage / 24 as days,
    ageing.is_to_be_moved_by_hand as to_move,
    count(*) over () as of_all
from marts.ageing_participants as ageing
inner join reference.stages
    on ageing.current_stage = stages.stage
inner join marts.study_progress as studies
    on ageing.study_id = studies.study_id
where
    ageing.is_stalled
    and stages.is_active
    and not stages.awaits_incentive
    and ageing.study_id = coalesce($study, ageing.study_id)
order by ageing.hours_in_stage, ageing.participant_id
limit $rows
