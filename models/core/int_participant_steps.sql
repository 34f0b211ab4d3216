{{ config(materialized='incremental') }}

with

changes as (
    select
        participant_key,
        study_key,
        sequence_number,
        status_rank,
        occurred_at,
        is_inferred
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

statuses as (
    select
        status_rank,
        step_order
    from {{ ref('stg_statuses') }}
),

first_step as (
    select min(step_order) as step_order
    from {{ ref('funnel_steps') }}
),

steps_of_changes as (
    select
        changes.participant_key,
        changes.study_key,
        statuses.step_order,
        changes.occurred_at,
        case when not changes.is_inferred then changes.occurred_at end as delivered_at
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
),

-- Everyone has the first step, shown or not; a time there only a delivered change gives.
first_steps as (
    select
        changes.participant_key,
        changes.study_key,
        cast(first_step.step_order as smallint) as step_order,
        changes.occurred_at,
        cast(null as {{ instant_type() }}) as delivered_at
    from changes
    cross join first_step
    where changes.sequence_number = 1
),

all_steps as (
    select * from steps_of_changes
    union all
    select * from first_steps
),

first_times as (
    select
        participant_key,
        study_key,
        step_order,
        min(occurred_at) as first_at,
        min(delivered_at) as first_delivered_at
    from all_steps
    group by participant_key, study_key, step_order
)

select
    *,
    first_value(first_at) over in_order as first_seen_at,
    lag(step_order) over in_order as step_order_before,
    lag(first_delivered_at) over in_order as first_delivered_before
from first_times
window in_order as (partition by participant_key order by step_order)
