{{ config(materialized='incremental') }}
{%- set series = [
    'interviews_completed', 'surveys_completed', 'tests_completed', 'no_shows', 'interviews_cancelled', 'incentives_sent',
    'incentives_claimed'
] -%}
{%- set ever = {
    'screened': 'screeners_completed', 'booked_interview': 'interviews_scheduled',
    'cancelled_interview': 'interviews_cancelled', 'missed_interview': 'no_shows', 'opted_out': 'opt_outs', 'bounced': 'bounces'
} -%}
{%- set activities = ['interview', 'survey', 'unmoderated_test'] -%}

with

changes as (
    select * from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

completions as (
    select * from {{ touched_rows_of(ref('int_completions'), ref('stg_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

marked as (
    select
        changes.participant_key,
        changes.person_key,
        changes.study_key,
        changes.sequence_number,
        changes.occurred_at,
        statuses.activity,
        statuses.is_invitation,
        statuses.is_completion,
        statuses.ends_contact,
        statuses.is_screener_pass,
        statuses.dashboard_series as series_shown,
        case when not changes.is_inferred then statuses.dashboard_series end as dashboard_series,
        not changes.is_inferred and statuses.is_contact as contacts,
        not changes.is_inferred and statuses.is_invitation as invites,
        not changes.is_inferred and statuses.is_completion as completes,
        not changes.is_inferred and statuses.is_response as responds,
        not changes.follows_gap
        and statuses.dashboard_series = 'interviews_cancelled'
        and statuses_before.dashboard_series = 'interviews_scheduled'
        and {{ hours_between('changes.occurred_before', 'changes.occurred_at') }}
        >= {{ var('late_cancellation_hours') }} as cancels_late
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    left join statuses as statuses_before
        on changes.rank_before = statuses_before.status_rank
),

counted as (
    select
        participant_key,
        person_key,
        study_key,

        -- What they were sent; inferred changes are no contacts.
        count(case when contacts then 1 end) as contacts,
        max(case when contacts then occurred_at end) as last_contact_at,
        min(case when invites then occurred_at end) as first_invited_at,
        min(case when invites then sequence_number end) as first_invitation_number,
        max(case when invites then occurred_at end) as last_invited_at,
        max(case when invites then sequence_number end) as last_invitation_number,
        max(case when responds then sequence_number end) as last_response_number,

        -- What decides whether they may be contacted; inferred changes show it as well.
        max(case when ends_contact then occurred_at end) as contact_ended_at,
        max(case when ends_contact then sequence_number end) as contact_ended_number,
        max(case when is_invitation then occurred_at end) as last_invitation_known_at,
        max(case when is_completion then occurred_at end) as last_completion_known_at,

        -- What they did.
        {%- for activity in activities %}
            min(case when completes and activity = '{{ activity }}' then occurred_at end)
                as first_{{ activity }}_completed_at,
        {%- endfor %}
        {%- for one in series %}
            count(case when dashboard_series = '{{ one }}' then 1 end) as {{ one }},
        {%- endfor %}
        count(case when cancels_late then 1 end) as late_cancellations,
        min(case when completes then occurred_at end) as first_completed_at,
        max(case when completes then occurred_at end) as last_completed_at,

        -- What they ever had, inferred changes too, as 1 or 0.
        max(case when is_invitation then 1 else 0 end) as invited,
        {%- for name, one in ever.items() %}
            max(case when series_shown = '{{ one }}' then 1 else 0 end) as {{ name }},
        {%- endfor %}
        max(case when is_screener_pass then 1 else 0 end) as passed_screener
    from marked
    group by participant_key, person_key, study_key
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
    counted.*,
    coalesce(completed.completed_interview, 0) as completed_interview,
    coalesce(completed.completed_survey, 0) as completed_survey,
    coalesce(completed.completed_test, 0) as completed_test,
    case when completed.participant_key is not null then 1 else 0 end as completed_any
from counted
left join completed
    on counted.participant_key = completed.participant_key
