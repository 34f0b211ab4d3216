-- Who has been in a stage for longer than 90 % of participants were, by study and stage. Pending Incentive stands under
-- incentives; who has not been invited yet waits for nothing.
--   study | Study | name: marts.study_progress.study_name
--   stage | Stage | name: marts.ageing_participants.current_stage
--   stalled | Stalled | number: marts.ageing_participants.is_stalled
--   active | In the stage | number: Participants in that stage now, stalled or not.
--   to_move | To move by hand | number warn: Those of the stalled whom a linked survey may have left behind: if they finished, move them by hand.
--   newest_days | Latest | days: Days in the stage of the one who came last.
--   oldest_days | Oldest | days: Days in the stage of the one who has been there longest.
--   usual_days | Usual | days: marts.stage_durations.median_hours
select
    coalesce(studies.study_name, ageing.study_id) as study,
    ageing.current_stage as stage,
    count(*) filter (ageing.is_stalled) as stalled,
    count(*) as active,
    count(*) filter (ageing.is_stalled and ageing.is_to_be_moved_by_hand) as to_move,
    min(ageing.hours_in_stage) filter (ageing.is_stalled) / 24 as newest_days,
    max(ageing.hours_in_stage) / 24 as oldest_days,
    any_value(durations.median_hours) / 24 as usual_days,
    cast(sum(count(*) filter (ageing.is_stalled)) over () as bigint) as stalled_in_all,
    count(*) over () as of_all
from marts.ageing_participants as ageing
inner join reference.stages
    on ageing.current_stage = stages.stage
inner join marts.study_progress as studies
    on ageing.study_id = studies.study_id
left join marts.stage_durations as durations
    on
        ageing.study_id = durations.study_id
        and ageing.current_stage = durations.stage
where
    stages.is_active
    and not stages.awaits_incentive
    and ageing.study_id = coalesce($study, ageing.study_id)
group by ageing.study_id, studies.study_name, ageing.current_stage, stages.stage_order
having count(*) filter (ageing.is_stalled) > 0
order by newest_days, stages.stage_order desc, ageing.study_id
limit $rows
