{{ config(materialized='incremental') }}

with

changes as (
    select
        participant_id,
        person_id,
        study_id,
        stated_person_id,
        stated_study_id
    from {{ touched_rows_of(ref('int_linked_changes'), ref('int_touched_participants')) }}
),

conflicting as (
    select
        participant_id,
        count(*) as conflicting_changes
    from {{ touched_rows_of(ref('int_linked_changes'), ref('int_touched_participants')) }}
    where stated_person_id <> person_id or stated_study_id <> study_id
    group by participant_id
)

select
    changes.participant_id,
    changes.person_id,
    changes.study_id,
    cast(count(distinct changes.stated_person_id) as integer) as persons_stated,
    cast(count(distinct changes.stated_study_id) as integer) as studies_stated,
    cast(min(conflicting.conflicting_changes) as integer) as conflicting_changes
from changes
inner join conflicting
    on changes.participant_id = conflicting.participant_id
group by changes.participant_id, changes.person_id, changes.study_id
