-- One row per step of the funnel of study $study_id, in order, with the 95 % interval (Wilson) of each conversion.
with

funnel as (
    select
        *,
        lag(reached) over (order by step_order) as reached_before,
        first_value(reached) over (order by step_order) as reached_first
    from marts.study_funnel
    where study_id = $study_id
),

intervals as (
    select
        *,
        1.959964 as z,
        conversion_from_previous as ratio,
        nullif(reached_before, 0) as n
    from funnel
),

bounds as (
    select
        *,
        (ratio + z * z / (2 * n)) / (1 + z * z / n) as middle,
        z * sqrt(ratio * (1 - ratio) / n + z * z / (4 * n * n)) / (1 + z * z / n) as half
    from intervals
)

select
    bounds.study_id,
    studies.study_name,
    bounds.step,
    bounds.step_order,
    bounds.observed,
    bounds.reached,
    bounds.reached_before,
    bounds.conversion_from_previous,
    case when bounds.middle > bounds.half then bounds.middle - bounds.half when bounds.n > 0 then 0 end as conversion_low,
    case when bounds.middle + bounds.half < 1 then bounds.middle + bounds.half when bounds.n > 0 then 1 end as conversion_high,
    bounds.reached_first,
    bounds.conversion_from_first,
    bounds.dropped_active,
    bounds.dropped_lost,
    bounds.converted_timed,
    bounds.median_hours_from_previous,
    bounds.p90_hours_from_previous,
    built_as_of.as_of
from bounds
inner join marts.study_progress as studies
    on bounds.study_id = studies.study_id
cross join audit.built_as_of
order by bounds.step_order
