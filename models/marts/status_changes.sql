{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

participants as (
    select
        participant_key,
        participant_id,
        person_id,
        study_id
    from {{ touched_rows_of(ref('int_participants'), ref('stg_touched_participants')) }}
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
    changes.sequence_number,

    prior_statuses.status as prior_status,
    statuses.status,
    stages.stage,

    changes.occurred_at,
    changes.ended_at,
    changes.is_current,
    changes.is_inferred,
    changes.follows_gap,
    changes.deliveries
from changes
inner join participants
    on changes.participant_key = participants.participant_key
inner join statuses
    on changes.status_rank = statuses.status_rank
left join statuses as prior_statuses
    on changes.prior_rank = prior_statuses.status_rank
left join stages
    on changes.stage_order = stages.stage_order
