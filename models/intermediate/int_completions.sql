with

changes as (
    select * from {{ ref('status_changes') }}
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

undone as (
    select
        changes.participant_id,
        max(changes.sequence_number) as last_undone_by
    from changes
    inner join statuses
        on changes.status = statuses.status
    where statuses.undoes_completion
    group by changes.participant_id
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
    on completions.participant_id = undone.participant_id
where completions.sequence_number > coalesce(undone.last_undone_by, 0)
group by completions.participant_id, completions.person_id, completions.study_id, completions.activity
