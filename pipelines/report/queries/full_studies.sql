-- Studies that are not closed and are full or nearly full (at most a tenth of the places, or three places, are left), with
-- participants on the way. Those over their limit are shown even if nobody is on the way. Studies furthest over the limit come
-- first.
-- All: studyflow studies
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   completed | Completed | number: marts.study_progress.completed
--   participation_limit | Limit | number: How many participants may complete the study.
--   remaining | Places left | number: marts.study_progress.remaining
--   over_limit | Over the limit | number bad: marts.study_progress.over_limit
--   on_the_way | On the way | number: Participants in Invited, Screening or In Progress who were not disqualified.
with

on_the_way as (
    select
        participants.study_id,
        count(*) as participants
    from marts.participants
    inner join reference.stages
        on participants.current_stage = stages.stage
    inner join reference.participant_statuses as statuses
        on participants.current_status = statuses.status
    where
        stages.is_active
        and not stages.awaits_incentive
        and statuses.stalled_action is distinct from 'let_go'
    group by participants.study_id
)

select
    progress.study_id,
    coalesce(progress.study_name, progress.study_id) as study,
    progress.completed,
    progress.participation_limit,
    progress.remaining,
    progress.over_limit,
    coalesce(on_the_way.participants, 0) as on_the_way,
    count(*) over () as of_all,
    count(*) filter (progress.over_limit > 0) over () as over_of_all
from marts.study_progress as progress
left join on_the_way
    on progress.study_id = on_the_way.study_id
where
    not progress.is_closed
    and (progress.over_limit > 0 or on_the_way.participants > 0)
    and progress.remaining <= greatest(3, progress.participation_limit / 10)
    and progress.study_id = coalesce($study, progress.study_id)
order by progress.over_limit desc, progress.remaining, on_the_way desc, progress.study_id
limit $rows
