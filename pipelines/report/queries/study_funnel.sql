-- How far the participants of the study came, and where it loses them. The interval is the 95 % one (Wilson).
--   step | Step | words: marts.study_funnel.step
--   reached | Reached | number: marts.study_funnel.reached
--   from_previous | From previous | share reached previous from_previous previous_low previous_high: marts.study_funnel.conversion_from_previous
--   from_first | From first | bar reached everyone from_first first_low first_high: marts.study_funnel.conversion_from_first
--   dropped_active | May still come | number: marts.study_funnel.dropped_active
--   dropped_lost | Lost | number: marts.study_funnel.dropped_lost
--   median_hours | Median time | hours: marts.study_funnel.median_hours_from_previous
--   p90_hours | 90th percentile | hours: marts.study_funnel.p90_hours_from_previous
with

steps as (
    select
        *,
        lag(reached) over (order by step_order) as previous,
        first_value(reached) over (order by step_order) as everyone
    from marts.study_funnel
    where study_id = $study
)

select
    step,
    reached,
    previous,
    everyone,
    conversion_from_previous as from_previous,
    marts.share_low(reached, previous) as previous_low,
    marts.share_high(reached, previous) as previous_high,
    conversion_from_first as from_first,
    marts.share_low(reached, everyone) as first_low,
    marts.share_high(reached, everyone) as first_high,
    dropped_active,
    dropped_lost,
    median_hours_from_previous as median_hours,
    p90_hours_from_previous as p90_hours
from steps
order by step_order
