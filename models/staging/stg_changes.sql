{{ config(materialized='incremental', unique_key='participant_id') }}

with

deliveries as (
    select * from {{ of_touched_participants(ref('stg_deliveries')) }}
),

changes as (
    select
        participant_id,
        person_id,
        study_id,
        status,
        prior_status,
        occurred_at,
        count(*) as deliveries,
        min(file_id) as first_file_id,
        max(file_id) as last_file_id
    from deliveries
    group by participant_id, person_id, study_id, status, prior_status, occurred_at
)

select * from changes
