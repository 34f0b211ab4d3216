{{ config(materialized='incremental', post_hook='{{ update_study_types() }}') }}

with

participants as (
    select * from {{ touched_rows_of(ref('int_participants'), ref('stg_touched_participants')) }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

stages as (
    select * from {{ ref('stages') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    studies.study_type,

    statuses.status as current_status,
    statuses.label as current_status_label,
    stages.stage as current_stage,
    participants.is_terminal,
    participants.status_since,
    participants.first_seen_at,
    participants.last_changed_at,

    steps.step as furthest_step,
    participants.incentive_status,

    participants.status_changes,
    participants.missing_changes
from participants
inner join studies
    on participants.study_key = studies.study_key
inner join statuses
    on participants.status_rank = statuses.status_rank
inner join stages
    on participants.stage_order = stages.stage_order
inner join steps
    on participants.furthest_step_order = steps.step_order
