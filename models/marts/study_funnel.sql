with

study_steps as (
    select * from {{ ref('int_study_steps') }}
),

stops as (
    select * from {{ ref('int_study_stops') }}
),

participant_steps as (
    select * from {{ ref('int_participant_steps') }}
),

-- Who came to each row or to the one before it. Somebody was observed at every furthest step, so none lies between.
arrived as (
    select
        study_steps.study_id,
        study_steps.step_order,
        stops.furthest_step_order >= study_steps.step_order as reached_it,
        stops.is_terminal,
        stops.participants
    from study_steps
    inner join stops
        on
            study_steps.study_id = stops.study_id
            and stops.furthest_step_order >= coalesce(study_steps.previous_step_order, study_steps.step_order)
),

counts as (
    select
        study_id,
        step_order,
        sum(case when reached_it then participants else 0 end) as reached,
        sum(case when not reached_it and not is_terminal then participants else 0 end) as dropped_active,
        sum(case when not reached_it and is_terminal then participants else 0 end) as dropped_lost
    from arrived
    group by study_id, step_order
),

timed as (
    select
        arrivals.study_id,
        arrivals.step_order,
        {{ hours_between('arrivals.first_delivered_before', 'arrivals.first_delivered_at') }} as hours
    from participant_steps as arrivals
    inner join study_steps
        on
            arrivals.study_id = study_steps.study_id
            and arrivals.step_order = study_steps.step_order
            and arrivals.step_order_before = study_steps.previous_step_order
    where arrivals.first_delivered_at >= arrivals.first_delivered_before
),

times as (
    select
        study_id,
        step_order,
        count(*) as converted_timed,
        median(hours) as median_hours,
        percentile_cont(0.9) within group (order by hours) as p90_hours
    from timed
    group by study_id, step_order
),

rows_of_funnel as (
    select
        study_steps.*,
        counts.reached,
        counts.dropped_active,
        counts.dropped_lost,
        lag(counts.reached) over in_order as reached_before,
        first_value(counts.reached) over in_order as reached_first
    from study_steps
    inner join counts
        on
            study_steps.study_id = counts.study_id
            and study_steps.step_order = counts.step_order
    window in_order as (partition by study_steps.study_id order by study_steps.step_order)
)

select
    rows_of_funnel.study_id,
    rows_of_funnel.step,
    rows_of_funnel.step_order,

    cast(rows_of_funnel.observed as integer) as observed,
    cast(rows_of_funnel.reached as integer) as reached,
    {{ ratio('rows_of_funnel.reached', 'rows_of_funnel.reached_before') }} as conversion_from_previous,
    {{ ratio('rows_of_funnel.reached', 'rows_of_funnel.reached_first') }} as conversion_from_first,
    cast(rows_of_funnel.dropped_active as integer) as dropped_active,
    cast(rows_of_funnel.dropped_lost as integer) as dropped_lost,

    cast(coalesce(times.converted_timed, 0) as integer) as converted_timed,
    times.median_hours as median_hours_from_previous,
    times.p90_hours as p90_hours_from_previous
from rows_of_funnel
left join times
    on
        rows_of_funnel.study_id = times.study_id
        and rows_of_funnel.step_order = times.step_order
