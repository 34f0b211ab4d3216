with

changes as (
    select * from {{ ref('status_changes') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

participations as (
    select * from {{ ref('int_participations') }}
    where first_invited_at is not null
),

studies as (
    select * from {{ ref('int_studies') }}
),

completions as (
    select
        changes.participant_id,
        changes.sequence_number,
        changes.occurred_at,
        statuses.activity
    from changes
    inner join statuses
        on changes.status = statuses.status
    where statuses.is_completion and not changes.is_inferred
),

recruited as (
    select
        participations.participant_id,
        participations.person_id,
        participations.study_id,
        participations.first_invited_at,
        min(completions.occurred_at) as completed_at,
        min_by(completions.activity, completions.sequence_number) as activity
    from participations
    inner join completions
        on
            participations.participant_id = completions.participant_id
            and participations.first_invited_at <= completions.occurred_at
    group by
        participations.participant_id,
        participations.person_id,
        participations.study_id,
        participations.first_invited_at
)

select
    recruited.participant_id,
    recruited.person_id,
    recruited.study_id,
    studies.study_type,

    recruited.activity,
    recruited.first_invited_at as invited_at,
    recruited.completed_at,
    {{ hours_between('recruited.first_invited_at', 'recruited.completed_at') }} as hours
from recruited
inner join studies
    on recruited.study_id = studies.study_id
