-- Every person and every study with a participant has one row, and there are no other rows.
-- Why: a person missing from people may be contacted too often. A study missing from study_progress is in no report.
-- Remedy: The table differs from what the models compute from the loaded lines. Build it again: studyflow build
-- Key: id
-- Rules of marts.people:
--   person_differs: every person who is a participant has a row, and nobody else (is_of_participant)
-- Rules of marts.study_progress:
--   study_differs: every study with a participant has a row, and no other (is_of_participant)
{%- set tables = {'person': ref('people'), 'study': ref('study_progress')} %}
with

participants as (
    select
        person_id,
        study_id,
        {{ id_key('person_id') }} as person_key,
        {{ id_key('study_id') }} as study_key
    from {{ ref('participants') }}
)

{% for kind, table in tables.items() %}
    select distinct
        participants.{{ kind }}_id as id,
        {{ kind == 'person' }} as person_differs,
        {{ kind == 'study' }} as study_differs,
        true as is_of_participant
    from participants
    where
        participants.{{ kind }}_key not in (
            select {{ id_key('rows_of.' ~ kind ~ '_id') }} from {{ table }} as rows_of
        )
    union all
    select distinct
        rows_of.{{ kind }}_id as id,
        {{ kind == 'person' }} as person_differs,
        {{ kind == 'study' }} as study_differs,
        false as is_of_participant
    from {{ table }} as rows_of
    where {{ id_key('rows_of.' ~ kind ~ '_id') }} not in (select participants.{{ kind }}_key from participants)
    {{ 'union all' if not loop.last }}
{% endfor %}
