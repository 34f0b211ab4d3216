with

participants as (
    select * from {{ ref('int_participants') }}
),

open_visits as (
    select * from {{ ref('int_open_visits') }}
),

progress as (
    select * from {{ ref('study_progress') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

stages as (
    select * from {{ ref('stages') }}
),

ageing as (
    select
        participants.participant_id,
        participants.person_id,
        participants.study_id,
        open_visits.study_type,
        stages.stage as current_stage,
        statuses.status as current_status,
        statuses.label as current_status_label,
        open_visits.started_at as stage_since,
        open_visits.hours as hours_in_stage,
        open_visits.percentile,
        coalesce(open_visits.percentile > 0.9, false) as is_stalled,
        statuses.is_moved_by_hand as is_to_be_moved_by_hand,
        stages.is_active and not stages.awaits_incentive as is_awaited,
        case when {{ is_let_go('statuses', 'progress') }} then 'let_go' else statuses.stalled_action end
            as stalled_action
    from open_visits
    inner join participants
        on open_visits.participant_key = participants.participant_key
    inner join progress
        on participants.study_id = progress.study_id
    inner join statuses
        on participants.status_rank = statuses.status_rank
    inner join stages
        on participants.stage_order = stages.stage_order
)

select
    participant_id,
    person_id,
    study_id,
    study_type,

    current_stage,
    current_status,
    current_status_label,
    stage_since,
    hours_in_stage,

    percentile,
    is_stalled,
    is_to_be_moved_by_hand,
    case when is_stalled and is_awaited then stalled_action end as action,
    coalesce(is_stalled and is_awaited and stalled_action <> 'let_go', false) as is_actionable
from ageing
