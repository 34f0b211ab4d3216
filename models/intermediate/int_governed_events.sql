{{ config(materialized='incremental') }}
{%- set first_times = {
    'study_invitation': 'first_invited_at',
    'participation': 'first_completed_at',
    'interview': 'first_interview_completed_at',
    'survey': 'first_survey_completed_at',
    'unmoderated_test': 'first_unmoderated_test_completed_at',
} -%}

with

changes as (
    select * from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

participations as (
    select * from {{ touched_rows_of(ref('int_participations'), ref('stg_touched_participants')) }}
),

invitations as (
    select
        changes.participant_key,
        changes.person_key,
        'invitation' as kind,
        changes.occurred_at
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    where statuses.is_invitation and not changes.is_inferred
)

-- Every invitation email counts. Of each other kind, only the first event in a study counts.
select * from invitations
{%- for kind, first_at in first_times.items() %}
    union all
    select
        participant_key,
        person_key,
        '{{ kind }}' as kind,
        {{ first_at }} as occurred_at
    from participations
    where {{ first_at }} is not null
{%- endfor %}
