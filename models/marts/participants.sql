with

changes as (
    select
        participant_id,
        status,
        occurred_at,
        ended_at,
        is_inferred,
        follows_gap
    from {{ ref('status_changes') }}
),

current_changes as (
    select
        participant_id,
        person_id,
        study_id,
        status,
        stage
    from {{ ref('status_changes') }}
    where is_current
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

stages as (
    select * from {{ ref('stages') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

incentives as (
    select * from {{ ref('incentive_states') }}
    where ended_at is null
),

histories as (
    select
        changes.participant_id,
        min(changes.occurred_at) as first_seen_at,
        max(changes.occurred_at) as last_changed_at,
        max(case when changes.status <> current_changes.status then changes.ended_at end) as other_status_until,
        max(steps.step_order) as furthest_step_order,
        sum(case when changes.is_inferred then 0 else 1 end) as status_changes,
        sum(case when changes.follows_gap then 1 else 0 end) as missing_changes
    from changes
    inner join current_changes
        on changes.participant_id = current_changes.participant_id
    inner join statuses
        on changes.status = statuses.status
    inner join steps
        on statuses.funnel_step = steps.step
    group by changes.participant_id
)

select
    current_changes.participant_id,
    current_changes.person_id,
    current_changes.study_id,
    studies.study_type,

    current_changes.status as current_status,
    statuses.label as current_status_label,
    current_changes.stage as current_stage,
    coalesce(stages.is_terminal, false) as is_terminal,
    coalesce(histories.other_status_until, histories.first_seen_at) as status_since,
    histories.first_seen_at,
    histories.last_changed_at,

    steps.step as furthest_step,
    incentives.incentive_status,

    cast(histories.status_changes as integer) as status_changes,
    cast(histories.missing_changes as integer) as missing_changes
from current_changes
inner join histories
    on current_changes.participant_id = histories.participant_id
inner join statuses
    on current_changes.status = statuses.status
inner join stages
    on current_changes.stage = stages.stage
inner join steps
    on histories.furthest_step_order = steps.step_order
inner join studies
    on current_changes.study_id = studies.study_id
left join incentives
    on current_changes.participant_id = incentives.participant_id
