{{ config(materialized='view') }}

with

changes as (
    select * from {{ ref('stg_changes') }}
)

select
    participant_key,
    person_key,
    study_key,
    status_rank,
    prior_rank,
    occurred_at,
    deliveries
from changes
where occurred_at <= {{ as_of() }}
