{{ config(materialized='incremental', unique_key='participant_id') }}

with

changes as (
    select * from {{ of_touched_participants(ref('int_linked_changes')) }}
)

select
    participant_id,
    person_id,
    study_id,
    cast(count(distinct stated_person_id) as integer) as persons_stated,
    cast(count(distinct stated_study_id) as integer) as studies_stated,
    cast(sum(case when stated_person_id <> person_id or stated_study_id <> study_id then 1 else 0 end) as integer)
        as conflicting_changes
from changes
group by participant_id, person_id, study_id
having min(stated_person_id) <> max(stated_person_id) or min(stated_study_id) <> max(stated_study_id)
