-- Rows about participants have the same study type as the study's own row.
-- Why: the type is inferred from all participants of a study, and can change for all of them at once.
-- Remedy: The table differs from what the models compute from the loaded lines. Build it again: studyflow build
-- Key: study_id
-- Rules of marts.participants:
--   participants_differ: study_type is that of the study's row in study_progress (study_type, type_of_study)
-- Rules of marts.time_to_recruit:
--   recruits_differ: study_type is that of the study's row in study_progress (study_type, type_of_study)
with

types as (
    select distinct
        study_id,
        study_type,
        true as is_of_participants
    from {{ ref('participants') }}
    union all
    select distinct
        study_id,
        study_type,
        false as is_of_participants
    from {{ ref('time_to_recruit') }}
),

studies as (
    select * from {{ ref('study_progress') }}
)

select
    types.study_id,
    types.study_type,
    studies.study_type as type_of_study,
    types.is_of_participants as participants_differ,
    not types.is_of_participants as recruits_differ
from types
inner join studies
    on types.study_id = studies.study_id
where types.study_type <> studies.study_type
