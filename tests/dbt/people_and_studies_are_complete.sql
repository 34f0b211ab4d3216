-- Every person and every study with a participant has one row of their own, and nobody else has.
-- Why: whoever is missing there is contacted too often, or is in no report.
-- Remedy: The table is not what the models make of the loaded lines. Build it again with: studyflow build
-- Key: id
-- Rules of marts.people:
--   person_differs: every person of a participant is there, and no other (is_of_participant)
-- Rules of marts.study_progress:
--   study_differs: every study of a participant is there, and no other (is_of_participant)
with

ids as (
    select distinct
        person_id as id,
        true as is_person,
        true as is_of_participant
    from {{ ref('participants') }}
    union all
    select distinct
        study_id as id,
        false as is_person,
        true as is_of_participant
    from {{ ref('participants') }}
    union all
    select distinct
        person_id as id,
        true as is_person,
        false as is_of_participant
    from {{ ref('people') }}
    union all
    select distinct
        study_id as id,
        false as is_person,
        false as is_of_participant
    from {{ ref('study_progress') }}
)

select
    id,
    is_person as person_differs,
    not is_person as study_differs,
    max(is_of_participant) as is_of_participant
from ids
group by id, is_person
having count(*) = 1
