{%- set prefix = var('test_id_prefix') -%}
with

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
    where participant_id is not null
),

participants as (
    select
        participant_id,
        person_id,
        study_id,
        first_seen_at,
        last_changed_at
    from {{ ref('participants') }}
),

described_studies as (
    select * from {{ ref('stg_studies') }}
),

described_people as (
    select * from {{ ref('stg_people') }}
),

later_changes as (
    select
        'later_than_as_of' as note,
        study_id as subject,
        count(distinct participant_id) as occurrences,
        min(updated_at) as first_at,
        max(updated_at) as last_at
    from deliveries
    where updated_at > {{ as_of() }}
    group by study_id
),

reused_message_ids as (
    select
        'svix_id_reused' as note,
        svix_id as subject,
        count(distinct updated_at) as occurrences,
        min(updated_at) as first_at,
        max(updated_at) as last_at
    from deliveries
    where svix_id is not null
    group by svix_id
    having min(updated_at) < max(updated_at)
),

test_studies as (
    select
        'test_id' as note,
        study_id as subject,
        count(*) as occurrences,
        min(first_seen_at) as first_at,
        max(last_changed_at) as last_at
    from participants
    where
        '{{ prefix }}' <> ''
        and (
            left(participant_id, {{ prefix | length }}) = '{{ prefix }}'
            or left(person_id, {{ prefix | length }}) = '{{ prefix }}'
            or left(study_id, {{ prefix | length }}) = '{{ prefix }}'
        )
    group by study_id
),

unmatched_studies as (
    select study_id from described_studies
    except
    select study_id from participants
),

unmatched_people as (
    select person_id from described_people
    except
    select person_id from participants
),

unmatched_rows as (
    select
        'unmatched_study' as note,
        study_id as subject
    from unmatched_studies
    union all
    select
        'unmatched_person' as note,
        person_id as subject
    from unmatched_people
),

notes as (
    select * from later_changes
    union all
    select * from reused_message_ids
    union all
    select * from test_studies
    union all
    select
        note,
        subject,
        1 as occurrences,
        cast(null as {{ instant_type() }}) as first_at,
        cast(null as {{ instant_type() }}) as last_at
    from unmatched_rows
)

select
    note,
    subject,
    cast(occurrences as integer) as occurrences,
    first_at,
    last_at
from notes
