-- One row per step of the funnel of study $study_id, in order, with the 95% interval (Wilson) of each conversion.
with

funnel as (
    select
        *,
        lag(reached) over (order by step_order) as reached_before,
        first_value(reached) over (order by step_order) as reached_first
    from marts.study_funnel
    where study_id = $study_id
)

select
    funnel.study_id,
    studies.study_name,
    funnel.step,
    funnel.step_order,
    funnel.observed,
    funnel.reached,
    funnel.reached_before,
    funnel.conversion_from_previous,
    marts.share_low(funnel.reached, funnel.reached_before) as conversion_low,
    marts.share_high(funnel.reached, funnel.reached_before) as conversion_high,
    funnel.reached_first,
    funnel.conversion_from_first,
    funnel.dropped_active,
    funnel.dropped_lost,
    funnel.converted_timed,
    funnel.median_hours_from_previous,
    funnel.p90_hours_from_previous,
    built_as_of.as_of
from funnel
inner join marts.study_progress as studies
    on funnel.study_id = studies.study_id
cross join audit.built_as_of
order by funnel.step_order
