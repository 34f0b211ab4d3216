{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('status_changes'), ref('int_touched_participants')) }}
),

participants as (
    select * from {{ touched_rows_of(ref('participants'), ref('int_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
),

shown as (
    select
        changes.participant_id,
        changes.study_id,
        steps.step_order,
        changes.occurred_at,
        case when not changes.is_inferred then changes.occurred_at end as delivered_at
    from changes
    inner join statuses
        on changes.status = statuses.status
    inner join steps
        on statuses.funnel_step = steps.step
),

first_step as (
    select min(step_order) as step_order
    from steps
),

-- Everyone has the first step, shown or not; a time there only a delivered change gives.
given_to_all as (
    select
        participants.participant_id,
        participants.study_id,
        first_step.step_order,
        participants.first_seen_at as occurred_at,
        cast(null as {{ instant_type() }}) as delivered_at
    from participants
    cross join first_step
),

shown_or_given as (
    select * from shown
    union all
    select * from given_to_all
),

first_times as (
    select
        participant_id,
        study_id,
        step_order,
        min(occurred_at) as first_at,
        min(delivered_at) as first_delivered_at
    from shown_or_given
    group by participant_id, study_id, step_order
)

select
    *,
    lag(step_order) over in_order as step_order_before,
    lag(first_delivered_at) over in_order as first_delivered_before
from first_times
window in_order as (partition by participant_id order by step_order)
