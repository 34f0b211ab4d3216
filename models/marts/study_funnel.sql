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

furthest_steps as (
    select
        participants.study_key,
        participants.furthest_step_order as step_order,
        count(*) as participants,
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

-- Participants reached every step up to their furthest step, and dropped out before the next step of the funnel.
step_counts as (
    select
        study_steps.study_key,
        study_steps.step_order,
        study_steps.observed,
        sum(case when furthest_steps.step_order >= study_steps.step_order then furthest_steps.participants else 0 end)
            as reached,
        sum(case when furthest_steps.step_order < study_steps.step_order then furthest_steps.participants else 0 end)
            as dropped,
        sum(case when furthest_steps.step_order < study_steps.step_order then furthest_steps.lost else 0 end)
            as dropped_lost
    from study_steps
    inner join furthest_steps
        on
            study_steps.study_key = furthest_steps.study_key
            and furthest_steps.step_order >= coalesce(study_steps.previous_step_order, study_steps.step_order)
    group by study_steps.study_key, study_steps.step_order, study_steps.observed
),

conversion_times as (
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

conversion_percentiles as (
    select
        study_key,
        step_order,
        count(*) as converted_timed,
        {{ percentile('hours', 0.5, [0.5, 0.9]) }} as median_hours,
        {{ percentile('hours', 0.9, [0.5, 0.9]) }} as p90_hours
    from conversion_times
    group by study_key, step_order
),

funnel as (
    select
        *,
        lag(reached) over in_order as reached_before,
        first_value(reached) over in_order as reached_first
    from step_counts
    window in_order as (partition by study_key order by step_order)
)

select
    studies.study_id,
    steps.step,
    steps.step_order,

    cast(funnel.observed as integer) as observed,
    cast(funnel.reached as integer) as reached,
    {{ ratio('funnel.reached', 'funnel.reached_before') }} as conversion_from_previous,
    {{ ratio('funnel.reached', 'funnel.reached_first') }} as conversion_from_first,
    cast(funnel.dropped - funnel.dropped_lost as integer) as dropped_active,
    cast(funnel.dropped_lost as integer) as dropped_lost,

    cast(coalesce(conversion_percentiles.converted_timed, 0) as integer) as converted_timed,
    conversion_percentiles.median_hours as median_hours_from_previous,
    conversion_percentiles.p90_hours as p90_hours_from_previous
from funnel
inner join studies
    on funnel.study_key = studies.study_key
inner join steps
    on funnel.step_order = steps.step_order
left join conversion_percentiles
    on
        funnel.study_key = conversion_percentiles.study_key
        and funnel.step_order = conversion_percentiles.step_order
