-- How many people were owed an unsent incentive at the end of each of the last 60 days.
--   day | Day | day
--   overdue | Overdue | number bad: marts.incentive_backlog_daily.overdue
--   not_yet_overdue | Not yet overdue | number
--   participants: marts.incentive_backlog_daily.participants
with

days as (
    select cast(unnest(generate_series(max(day) - interval 59 day, max(day), interval 1 day)) as date) as day
    from marts.study_stage_daily
),

owed as (
    select
        daily.day,
        sum(daily.participants) as participants,
        sum(daily.overdue) as overdue
    from marts.incentive_backlog_daily as daily
    inner join reference.incentive_effects as effects
        on daily.backlog_state = effects.backlog_state
    where
        not effects.is_sent
        and daily.study_id = coalesce($study, daily.study_id)
    group by daily.day
)

select
    days.day,
    coalesce(owed.overdue, 0) as overdue,
    coalesce(owed.participants, 0) - coalesce(owed.overdue, 0) as not_yet_overdue
from days
left join owed
    on days.day = owed.day
where days.day >= (select min(day) from marts.study_stage_daily)
order by days.day
