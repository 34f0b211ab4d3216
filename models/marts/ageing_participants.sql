with

participants as (
    select * from {{ ref('participants') }}
    where not is_terminal
),

open_visits as (
    select * from {{ ref('int_open_visits') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    participants.study_type,

    participants.current_stage,
    participants.current_status,
    participants.current_status_label,
    open_visits.started_at as stage_since,
    open_visits.hours as hours_in_stage,

    open_visits.percentile,
    coalesce(open_visits.percentile > 0.9, false) as is_stalled,
    statuses.is_moved_by_hand as is_to_be_moved_by_hand
from participants
inner join open_visits
    on participants.participant_id = open_visits.participant_id
inner join statuses
    on participants.current_status = statuses.status
