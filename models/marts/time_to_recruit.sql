{{ config(materialized='incremental', post_hook='{{ update_study_types() }}') }}

with

changes as (
    select
        participant_key,
        sequence_number,
        status_rank,
        occurred_at
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
    where not is_inferred
),

statuses as (
    select * from {{ ref('stg_statuses') }}
    where is_completion
),

participations as (
    select * from {{ touched_rows_of(ref('int_participations'), ref('stg_touched_participants')) }}
    where first_invited_at is not null
),

participants as (
    select
        participant_key,
        participant_id,
        person_id,
        study_id
    from {{ touched_rows_of(ref('int_participants'), ref('stg_touched_participants')) }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

completions as (
    select
        changes.participant_key,
        changes.sequence_number,
        changes.occurred_at,
        statuses.activity
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
),

-- The first completion after the first invitation.
first_completions as (
    select
        participations.participant_key,
        participations.person_key,
        participations.study_key,
        participations.first_invited_at,
        min(completions.occurred_at) as completed_at,
        min_by(completions.activity, completions.sequence_number) as activity
    from participations
    inner join completions
        on
            participations.participant_key = completions.participant_key
            and participations.first_invited_at <= completions.occurred_at
    group by
        participations.participant_key,
        participations.person_key,
        participations.study_key,
        participations.first_invited_at
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    studies.study_type,

    first_completions.activity,
    first_completions.first_invited_at as invited_at,
    first_completions.completed_at,
    {{ hours_between('first_completions.first_invited_at', 'first_completions.completed_at') }} as hours
from first_completions
inner join participants
    on first_completions.participant_key = participants.participant_key
inner join studies
    on first_completions.study_key = studies.study_key
