with

changes as (
    select
        participant_key,
        study_key,
        status_rank
    from {{ ref('int_status_changes') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

completions as (
    select * from {{ ref('int_completions') }}
),

-- Statuses that they ever had.
milestones as (
    select
        changes.participant_key,
        changes.study_key,
        max(case when statuses.is_invitation then 1 else 0 end) as invited,
        max(case when statuses.dashboard_series = 'screeners_completed' then 1 else 0 end) as screened,
        max(case when statuses.is_screener_pass then 1 else 0 end) as passed_screener,
        max(case when statuses.dashboard_series = 'interviews_scheduled' then 1 else 0 end) as booked_interview,
        max(case when statuses.dashboard_series = 'interviews_cancelled' then 1 else 0 end) as cancelled_interview,
        max(case when statuses.dashboard_series = 'no_shows' then 1 else 0 end) as missed_interview,
        max(case when statuses.dashboard_series = 'opt_outs' then 1 else 0 end) as opted_out,
        max(case when statuses.dashboard_series = 'bounces' then 1 else 0 end) as bounced
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    group by changes.participant_key, changes.study_key
),

-- Completions that stand.
completed as (
    select
        participant_key,
        max(case when activity = 'interview' then 1 else 0 end) as completed_interview,
        max(case when activity = 'survey' then 1 else 0 end) as completed_survey,
        max(case when activity = 'unmoderated_test' then 1 else 0 end) as completed_test
    from completions
    group by participant_key
)

select
    milestones.*,
    coalesce(completed.completed_interview, 0) as completed_interview,
    coalesce(completed.completed_survey, 0) as completed_survey,
    coalesce(completed.completed_test, 0) as completed_test,
    case when completed.participant_key is not null then 1 else 0 end as completed_any
from milestones
left join completed
    on milestones.participant_key = completed.participant_key
