{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('int_linked_changes'), ref('int_touched_participants')) }}
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
