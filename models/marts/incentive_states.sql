{{ config(materialized='incremental') }}

with

states as (
    select * from {{ touched_rows_of(ref('int_incentive_states'), ref('stg_touched_participants')) }}
),

identities as (
    select * from {{ ref('stg_identities') }}
)

select
    identities.participant_id,
    identities.person_id,
    identities.study_id,
    states.sequence_number,
    states.backlog_state,
    states.incentive_status,
    states.began_at,
    states.ended_at
from states
inner join identities
    on
        states.participant_key = identities.participant_key
        and states.person_key = identities.person_key
        and states.study_key = identities.study_key
