{{ config(materialized='incremental') }}

with

states as (
    select * from {{ touched_rows_of(ref('int_incentive_states'), ref('stg_touched_participants')) }}
),

participants as (
    select
        participant_key,
        participant_id,
        person_id,
        study_id
    from {{ touched_rows_of(ref('int_participants'), ref('stg_touched_participants')) }}
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    states.sequence_number,
    states.backlog_state,
    states.incentive_status,
    states.began_at,
    states.ended_at
from states
inner join participants
    on states.participant_key = participants.participant_key
