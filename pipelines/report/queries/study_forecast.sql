-- How many have completed the study so far, by day (by week if the study is longer than 120 days), and how many are expected to
-- complete in the next six weeks, or by target_on if that is later. The forecast assumes that nobody else is invited. Each day
-- ahead has ranges of 50, 80 and 95%.
--   day | Day | day: A past day has the number at the end of the day. A future day has the number expected at the same time of day as the as-of time.
--   completed | Completed | count: How many have completed by then; for a future day, how many are expected to have completed.
--   low_80 | At least | count: There is a 90% chance that at least this many will have completed by then.
--   high_80 | At most | count: There is a 90% chance that at most this many will have completed by then.
with

forecast as (
    select
        study_id,
        target,
        target_on,
        completed
    from marts.study_forecast
    where study_id = $study
),

first_completions as (
    select
        completions.participant_key,
        cast(min(completions.completed_at) at time zone built_as_of.report_timezone as date) as day
    from intermediate.int_completions as completions
    inner join intermediate.int_studies as studies
        on completions.study_key = studies.study_key
    cross join audit.built_as_of
    where studies.study_id = $study
    group by completions.participant_key, built_as_of.report_timezone
),

completed_by_day as (
    select
        days.day,
        count(first_completions.participant_key) as completed
    from (
        select
            cast(unnest(generate_series(min(day) - 1, max(today), interval 1 day)) as date) as day,
            max(today) as today,
            date_diff('day', min(day), max(today)) > 120 as is_long
        from first_completions
        cross join (select cast(as_of at time zone report_timezone as date) as today from audit.built_as_of) as built
    ) as days
    left join first_completions
        on first_completions.day <= days.day
    where not days.is_long or date_diff('day', days.day, days.today) % 7 = 0
    group by days.day
)

select
    day,
    false as is_ahead,
    completed,
    null as low_50,
    null as high_50,
    null as low_80,
    null as high_80,
    null as low_95,
    null as high_95,
    (select target from forecast) as target
from completed_by_day
union all
select
    daily.day,
    true as is_ahead,
    daily.completed,
    daily.low_50,
    daily.high_50,
    daily.low_80,
    daily.high_80,
    daily.low_95,
    daily.high_95,
    forecast.target
from marts.study_forecast_daily as daily
inner join forecast
    on daily.study_id = forecast.study_id
where
    daily.days <= 42
    or daily.day <= forecast.target_on
order by is_ahead, day
