{{ config(materialized='incremental') }}

with

participants as (
    select * from {{ touched_rows_of(ref('participants'), ref('int_touched_participants')) }}
),

changes as (
    select * from {{ touched_rows_of(ref('status_changes'), ref('int_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

completions as (
    select * from {{ touched_rows_of(ref('int_completions'), ref('int_touched_participants')) }}
),

-- Statuses that they ever had.
milestones as (
    select
        changes.participant_id,
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
        on changes.status = statuses.status
    where statuses.is_invitation or statuses.is_screener_pass or statuses.dashboard_series is not null
    group by changes.participant_id
),

-- Completions that stand.
completed as (
    select
        completions.participant_id,
        max(case when completions.activity = 'interview' then 1 else 0 end) as completed_interview,
        max(case when completions.activity = 'survey' then 1 else 0 end) as completed_survey,
        max(case when completions.activity = 'unmoderated_test' then 1 else 0 end) as completed_test
    from completions
    group by completions.participant_id
)

select
    participants.participant_id,
    participants.study_id,
    {%- for milestone in [
        'invited', 'screened', 'passed_screener', 'booked_interview', 'cancelled_interview', 'missed_interview',
        'opted_out', 'bounced'
    ] %}
        coalesce(milestones.{{ milestone }}, 0) as {{ milestone }},
    {%- endfor %}
    coalesce(completed.completed_interview, 0) as completed_interview,
    coalesce(completed.completed_survey, 0) as completed_survey,
    coalesce(completed.completed_test, 0) as completed_test,
    case when completed.participant_id is not null then 1 else 0 end as completed_any
from participants
left join milestones
    on participants.participant_id = milestones.participant_id
left join completed
    on participants.participant_id = completed.participant_id
