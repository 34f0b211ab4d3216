{{ config(materialized='incremental') }}

with

changes as (
    select
        participant_id,
        first_file_id as file_id,
        deliveries
    from {{ touched_rows_of(ref('stg_changes'), ref('int_touched_participants')) }}
    where first_file_id = last_file_id
),

changes_in_several_files as (
    select * from {{ touched_rows_of(ref('stg_changes'), ref('int_touched_participants')) }}
    where first_file_id <> last_file_id
),

deliveries as (
    select * from {{ touched_rows_of(ref('stg_deliveries'), ref('int_touched_participants')) }}
),

changes_by_file as (
    select * from changes
    union all
    select
        deliveries.participant_id,
        deliveries.file_id,
        count(*) as deliveries
    from deliveries
    inner join changes_in_several_files as changes
        on
            deliveries.participant_id = changes.participant_id
            and deliveries.person_id = changes.person_id
            and deliveries.study_id = changes.study_id
            and deliveries.status = changes.status
            and deliveries.prior_status is not distinct from changes.prior_status
            and deliveries.occurred_at = changes.occurred_at
    group by
        deliveries.participant_id,
        deliveries.file_id,
        deliveries.person_id,
        deliveries.study_id,
        deliveries.status,
        deliveries.prior_status,
        deliveries.occurred_at
)

select
    participant_id,
    file_id,
    sum(deliveries) as accepted,
    count(*) as distinct_changes
from changes_by_file
group by participant_id, file_id
