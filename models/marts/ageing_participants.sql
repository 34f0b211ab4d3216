with

participants as (
    select * from {{ ref('int_participants') }}
),

open_visits as (
    select * from {{ ref('int_open_visits') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

stages as (
    select * from {{ ref('stages') }}
)

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
    statuses.is_moved_by_hand as is_to_be_moved_by_hand
from open_visits
inner join participants
    on open_visits.participant_key = participants.participant_key
inner join statuses
    on participants.status_rank = statuses.status_rank
inner join stages
    on participants.stage_order = stages.stage_order
