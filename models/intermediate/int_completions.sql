{{ config(materialized='incremental') }}

with

changes as (
    select
        participant_key,
        person_key,
        study_key,
        status_rank,
        sequence_number,
        occurred_at
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

-- A second import, because DuckDB would materialize one that two steps read.
later_changes as (
    select
        participant_key,
        status_rank,
        sequence_number
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

completions as (
    select
        changes.participant_key,
        changes.person_key,
        changes.study_key,
        statuses.activity,
        changes.sequence_number,
        changes.occurred_at
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    where statuses.is_completion
),

-- A change in one activity undoes no completion of another: someone who was interviewed may start a survey.
undone_completions as (
    select distinct
        completions.participant_key,
        completions.sequence_number
    from completions
    inner join later_changes
        on
            completions.participant_key = later_changes.participant_key
            and completions.sequence_number <= later_changes.sequence_number
    inner join statuses
        on later_changes.status_rank = statuses.status_rank
    where statuses.undoes_completion and coalesce(statuses.activity, completions.activity) = completions.activity
)

select
    completions.participant_key,
    completions.person_key,
    completions.study_key,
    completions.activity,
    min(completions.sequence_number) as sequence_number,
    min(completions.occurred_at) as completed_at
from completions
left join undone_completions
    on
        completions.participant_key = undone_completions.participant_key
        and completions.sequence_number = undone_completions.sequence_number
where undone_completions.participant_key is null
group by completions.participant_key, completions.person_key, completions.study_key, completions.activity
