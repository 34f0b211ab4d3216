{{ config(materialized='incremental') }}

with

changes as (
    select
        participant_id,
        person_id,
        study_id,
        status,
        sequence_number,
        occurred_at
    from {{ touched_rows_of(ref('status_changes'), ref('int_touched_participants')) }}
),

later_changes as (
    select
        participant_id,
        status,
        sequence_number
    from {{ touched_rows_of(ref('status_changes'), ref('int_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

completions as (
    select
        changes.participant_id,
        changes.person_id,
        changes.study_id,
        statuses.activity,
        changes.sequence_number,
        changes.occurred_at
    from changes
    inner join statuses
        on changes.status = statuses.status
    where statuses.is_completion
),

-- A move within one activity says nothing of another: who has been interviewed may start a survey.
undone as (
    select distinct
        completions.participant_id,
        completions.sequence_number
    from completions
    inner join later_changes
        on
            completions.participant_id = later_changes.participant_id
            and completions.sequence_number <= later_changes.sequence_number
    inner join statuses
        on later_changes.status = statuses.status
    where statuses.undoes_completion and coalesce(statuses.activity, completions.activity) = completions.activity
)

select
    completions.participant_id,
    completions.person_id,
    completions.study_id,
    completions.activity,
    min(completions.sequence_number) as sequence_number,
    min(completions.occurred_at) as completed_at
from completions
left join undone
    on
        completions.participant_id = undone.participant_id
        and completions.sequence_number = undone.sequence_number
where undone.participant_id is null
group by completions.participant_id, completions.person_id, completions.study_id, completions.activity
