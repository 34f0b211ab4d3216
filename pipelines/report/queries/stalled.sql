-- Stalled participants, by study and stage: they have been in the stage for longer than 90% of completed visits to it. People who
-- were disqualified, or whose study is closed or full, are counted under Let go. A stage in which nobody is to be reminded or
-- moved by hand has no row.
-- All: studyflow stalled{study}
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   stage | Stage | name: marts.ageing_participants.current_stage
--   remind | Remind | number warn: Stalled, and it is their turn.
--   to_move | Move by hand | number warn: Stalled, and to be moved to another status in Rally by hand: it is the team's turn, or they may have finished without Rally knowing.
--   let_go | Let go | number: Stalled, with nothing to do: they were disqualified, or the study is closed or full. A stage in which nobody is to be reminded or moved by hand has no row, so people in such a stage are missing here.
--   active | In the stage | number: Participants in that stage now, stalled or not.
--   newest_days | Shortest | age: The shortest time that any of the people to remind or to move by hand has been in the stage.
--   oldest_days | Longest | age: The longest time that anybody now in the stage has been there.
--   usual_days | Median visit | days: The median length of the visits to the stage that have ended.
select
    ageing.study_id,
    coalesce(studies.study_name, ageing.study_id) as study,
    ageing.current_stage as stage,
    count(*) filter (ageing.action = 'remind') as remind,
    count(*) filter (ageing.action = 'move_by_hand') as to_move,
    count(*) filter (ageing.action = 'let_go') as let_go,
    count(*) as active,
    min(ageing.hours_in_stage) filter (ageing.is_actionable) / 24 as newest_days,
    max(ageing.hours_in_stage) / 24 as oldest_days,
    any_value(durations.median_hours) / 24 as usual_days,
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
where ageing.study_id = coalesce($study, ageing.study_id)
group by ageing.study_id, studies.study_name, ageing.current_stage, stages.stage_order
having count(*) filter (ageing.is_actionable) > 0
order by newest_days, stages.stage_order desc, ageing.study_id
limit $rows
