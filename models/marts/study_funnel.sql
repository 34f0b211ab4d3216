with

participant_steps as (
    select * from {{ ref('int_participant_steps') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
),

stops as (
    select
        participants.study_key,
        participants.furthest_step_order,
        count(case when not {{ is_lost('participants', 'statuses') }} then 1 end) as active,
        count(case when {{ is_lost('participants', 'statuses') }} then 1 end) as lost
    from {{ ref('int_participants') }} as participants
    inner join {{ ref('stg_statuses') }} as statuses
        on participants.status_rank = statuses.status_rank
    group by participants.study_key, participants.furthest_step_order
),

study_steps as (
    select
        study_key,
        step_order,
        count(*) as observed,
        lag(step_order) over (partition by study_key order by step_order) as previous_step_order
    from participant_steps
    group by study_key, step_order
),

-- Who came to each row or to the one before it. Somebody was observed at every furthest step, so none lies between.
counts as (
    select
        arrivals.study_key,
        arrivals.step_order,
        sum(case when stops.furthest_step_order >= arrivals.step_order then stops.active + stops.lost else 0 end)
            as reached,
        sum(case when stops.furthest_step_order < arrivals.step_order then stops.active else 0 end) as dropped_active,
        sum(case when stops.furthest_step_order < arrivals.step_order then stops.lost else 0 end) as dropped_lost
    from study_steps as arrivals
    inner join stops
        on
            arrivals.study_key = stops.study_key
            and stops.furthest_step_order >= coalesce(arrivals.previous_step_order, arrivals.step_order)
    group by arrivals.study_key, arrivals.step_order
),

timed as (
    select
        arrivals.study_key,
        arrivals.step_order,
        {{ hours_between('arrivals.first_delivered_before', 'arrivals.first_delivered_at') }} as hours
    from participant_steps as arrivals
    inner join study_steps
        on
            arrivals.study_key = study_steps.study_key
            and arrivals.step_order = study_steps.step_order
            and arrivals.step_order_before = study_steps.previous_step_order
    where arrivals.first_delivered_at >= arrivals.first_delivered_before
),

times as (
    select
        study_key,
        step_order,
        count(*) as converted_timed,
        {{ percentile('hours', 0.5) }} as median_hours,
        {{ percentile('hours', 0.9) }} as p90_hours
    from timed
    group by study_key, step_order
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
            study_steps.study_key = counts.study_key
            and study_steps.step_order = counts.step_order
    window in_order as (partition by study_steps.study_key order by study_steps.step_order)
)

select
    studies.study_id,
    steps.step,
    steps.step_order,

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
inner join studies
    on rows_of_funnel.study_key = studies.study_key
inner join steps
    on rows_of_funnel.step_order = steps.step_order
left join times
    on
        rows_of_funnel.study_key = times.study_key
        and rows_of_funnel.step_order = times.step_order
