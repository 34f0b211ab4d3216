-- How far the participants of the study came, and where it loses them. The interval is the 95 % one (Wilson).
--   step: marts.study_funnel.step
--   reached: marts.study_funnel.reached
--   from_previous: marts.study_funnel.conversion_from_previous
--   from_first: marts.study_funnel.conversion_from_first
--   dropped_active: marts.study_funnel.dropped_active
--   dropped_lost: marts.study_funnel.dropped_lost
--   median_hours: marts.study_funnel.median_hours_from_previous
--   p90_hours: marts.study_funnel.p90_hours_from_previous
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
