-- How many participants of the study were in each stage at the end of each day. Days on which nobody was in a stage are filled
-- with 0. A study of more than 120 days is shown by week, with the numbers at the end of the week.
--   participants: marts.study_stage_daily.participants
with

daily as (
    select * from marts.study_stage_daily
    where study_id = $study
),

days as (
    select
        cast(unnest(generate_series(min(day), max(day), interval 1 day)) as date) as day,
        max(day) as last_day,
        date_diff('day', min(day), max(day)) > 120 as is_long
    from daily
),

stages as (
    select
        stage,
        stage_order
    from reference.stages
    where stage in (select stage from daily)
)

select
    days.day,
    stages.stage,
    stages.stage_order,
    coalesce(daily.participants, 0) as participants
from days
cross join stages
left join daily
    on
        days.day = daily.day
        and stages.stage = daily.stage
where not days.is_long or date_diff('day', days.day, days.last_day) % 7 = 0
order by days.day, stages.stage_order
