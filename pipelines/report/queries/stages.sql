-- Participants by study and stage.
--   participants: Participants in the stage now.
select
    progress.study_id,
    stages.stage,
    stages.stage_order,
    count(participants.participant_id) as participants
from marts.study_progress as progress
cross join reference.stages
left join marts.participants
    on
        progress.study_id = participants.study_id
        and stages.stage = participants.current_stage
where progress.study_id = coalesce($study, progress.study_id)
group by progress.study_id, stages.stage, stages.stage_order
order by progress.study_id, stages.stage_order
