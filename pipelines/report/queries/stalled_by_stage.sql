-- Who has been in a stage for longer than 90 % of participants were, by stage.
--   stalled: marts.ageing_participants.is_stalled
select
    ageing.current_stage as stage,
    count(*) as stalled,
    cast(sum(count(*) filter (ageing.is_to_be_moved_by_hand)) over () as bigint) as to_move_in_all
from marts.ageing_participants as ageing
inner join reference.stages
    on ageing.current_stage = stages.stage
where
    ageing.is_stalled
    and stages.is_active
    and not stages.awaits_incentive
    and ageing.study_id = coalesce($study, ageing.study_id)
group by ageing.current_stage, stages.stage_order
order by stages.stage_order desc
