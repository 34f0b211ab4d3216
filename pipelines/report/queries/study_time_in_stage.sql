-- How long participants of the study stay in each stage, and how long the participants who are there now have been there.
--   stage | Stage | name: marts.stage_durations.stage
--   completed_visits | Left it | number: marts.stage_durations.completed_visits
--   median_days | Median | days: The median time of the visits that have ended.
--   p90_days | 90th percentile | days: The time within which 90% of visits ended.
--   open_visits | In it now | number: marts.stage_durations.open_visits
--   oldest_open_days | Oldest | age: The longest time that anybody now in the stage has been there.
select
    durations.stage,
    stages.stage_order,
    durations.completed_visits,
    durations.median_hours / 24 as median_days,
    durations.p90_hours / 24 as p90_days,
    durations.open_visits,
    durations.oldest_open_hours / 24 as oldest_open_days
from marts.stage_durations as durations
inner join reference.stages
    on durations.stage = stages.stage
where durations.study_id = $study and not stages.is_terminal
order by stages.stage_order
