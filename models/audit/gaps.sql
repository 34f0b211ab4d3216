{{ config(materialized='incremental', unique_key='participant_id') }}

with

changes as (
    select * from {{ of_touched_participants(ref('int_linked_changes')) }}
)

select
    participant_id,
    person_id,
    study_id,
    cast(sequence_number as integer) as sequence_number,

    status_before,
    prior_status,
    status,

    occurred_before as lost_after,
    occurred_at as lost_before
from changes
where follows_gap
