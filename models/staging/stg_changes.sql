{{ config(materialized='incremental') }}

with

deliveries as (
    select * from {{ touched_rows_of(ref('stg_deliveries'), ref('stg_touched_participants')) }}
)

-- Deliveries that agree in all of these columns are deliveries of one change.
select
    participant_key,
    person_key,
    study_key,
    status_rank,
    prior_rank,
    occurred_at,
    cast(count(*) as integer) as deliveries,
    min(file_id) as first_file_id,
    max(file_id) as last_file_id
from deliveries
group by participant_key, person_key, study_key, status_rank, prior_rank, occurred_at
