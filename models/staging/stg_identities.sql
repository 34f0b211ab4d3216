{{ config(materialized='incremental') }}

with

deliveries as (
    select * from {{ touched_rows_of(ref('stg_deliveries'), ref('stg_touched_participants')) }}
)

select distinct
    participant_key,
    person_key,
    study_key,
    participant_id,
    person_id,
    study_id
from deliveries
