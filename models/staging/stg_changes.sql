{{ config(materialized='incremental') }}

with

deliveries as (
    select * from {{ touched_rows_of(ref('stg_deliveries'), ref('int_touched_participants')) }}
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
