{{ config(materialized='incremental', unique_key='participant_id') }}

with

changes as (
    select * from {{ of_touched_participants(ref('status_changes')) }}
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
    select
        changes.participant_id,
        statuses.activity,
        max(changes.sequence_number) as last_undone_by
    from changes
    inner join statuses
        on changes.status = statuses.status
    where statuses.undoes_completion
    group by changes.participant_id, statuses.activity
)

select
    completions.participant_id,
    completions.person_id,
    completions.study_id,
    completions.activity,
    min(completions.sequence_number) as sequence_number,
    min(completions.occurred_at) as completed_at
from completions
left join undone as undone_at_all
    on
        completions.participant_id = undone_at_all.participant_id
        and undone_at_all.activity is null
left join undone as undone_in_activity
    on
        completions.participant_id = undone_in_activity.participant_id
        and completions.activity = undone_in_activity.activity
where
    completions.sequence_number > coalesce(undone_at_all.last_undone_by, 0)
    and completions.sequence_number > coalesce(undone_in_activity.last_undone_by, 0)
group by completions.participant_id, completions.person_id, completions.study_id, completions.activity
