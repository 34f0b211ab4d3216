{{ config(materialized='incremental') }}
{%- set counted_series = ['interviews_completed', 'surveys_completed', 'tests_completed', 'no_shows',
    'interviews_cancelled', 'incentives_sent', 'incentives_claimed'] -%}
{%- set series_of_flags = {
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
    select *, {{ completing_step() }} as completing_step_order -- noqa: LT09
    from {{ ref('stg_statuses') }}
),

classified_changes as (
    select
        changes.participant_key,
        changes.person_key,
        changes.study_key,
        changes.sequence_number,
        changes.occurred_at,
        not changes.is_inferred as is_delivered,
        statuses.activity,
        statuses.dashboard_series,
        statuses.is_contact,
        statuses.is_response,
        statuses.is_invitation,
        statuses.is_completion,
        statuses.ends_contact,
        statuses.is_screener_pass,
        statuses.step_order,
        statuses.completing_step_order,
        not changes.follows_gap
        and statuses.dashboard_series = 'interviews_cancelled'
        and statuses_before.dashboard_series = 'interviews_scheduled'
        and {{ hours_between('changes.occurred_before', 'changes.occurred_at') }}
        >= {{ var('late_cancellation_hours') }} as is_late_cancellation
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    left join statuses as statuses_before
        on changes.rank_before = statuses_before.status_rank
),

histories as (
    select
        participant_key,
        person_key,
        study_key,

        -- Emails and responses: delivered changes only.
        count(case when is_delivered and is_contact then 1 end) as contacts,
        max(case when is_delivered and is_contact then occurred_at end) as last_contact_at,
        min(case when is_delivered and is_invitation then occurred_at end) as first_invited_at,
        min(case when is_delivered and is_invitation then sequence_number end) as first_invitation_number,
        max(case when is_delivered and is_invitation then occurred_at end) as last_invited_at,
        max(case when is_delivered and is_invitation then sequence_number end) as last_invitation_number,
        max(case when is_delivered and is_response then sequence_number end) as last_response_number,

        -- Contact status and cooldown: inferred changes count, too.
        max(case when ends_contact then occurred_at end) as contact_ended_at,
        max(case when ends_contact then sequence_number end) as contact_ended_number,
        max(case when is_invitation then occurred_at end) as last_invitation_known_at,
        max(case when is_completion then occurred_at end) as last_completion_known_at,

        -- Activities: delivered changes only.
        {%- for activity in activities %}
            min(case when is_delivered and is_completion and activity = '{{ activity }}' then occurred_at end)
                as first_{{ activity }}_completed_at,
        {%- endfor %}
        {%- for name in counted_series %}
            count(case when is_delivered and dashboard_series = '{{ name }}' then 1 end) as {{ name }},
        {%- endfor %}
        count(case when is_late_cancellation then 1 end) as late_cancellations,
        min(case when is_delivered and is_completion then occurred_at end) as first_completed_at,
        max(case when is_delivered and is_completion then occurred_at end) as last_completed_at,
        min(case when step_order >= completing_step_order then occurred_at end) as completion_reached_at,
        min(case when is_delivered and step_order = completing_step_order then occurred_at end)
            as completion_delivered_at,

        -- 1 if it ever happened, else 0: inferred changes count, too.
        max(case when is_invitation then 1 else 0 end) as invited,
        {%- for name, series in series_of_flags.items() %}
            max(case when dashboard_series = '{{ series }}' then 1 else 0 end) as {{ name }},
        {%- endfor %}
        max(case when is_screener_pass then 1 else 0 end) as passed_screener
    from classified_changes
    group by participant_key, person_key, study_key
),

-- Which activities have a completion that was not undone.
completed_activities as (
    select
        participant_key,
        max(case when activity = 'interview' then 1 else 0 end) as completed_interview,
        max(case when activity = 'survey' then 1 else 0 end) as completed_survey,
        max(case when activity = 'unmoderated_test' then 1 else 0 end) as completed_test
    from completions
    group by participant_key
)

select
    histories.*,
    coalesce(completed_activities.completed_interview, 0) as completed_interview,
    coalesce(completed_activities.completed_survey, 0) as completed_survey,
    coalesce(completed_activities.completed_test, 0) as completed_test,
    case when completed_activities.participant_key is not null then 1 else 0 end as completed_any
from histories
left join completed_activities
    on histories.participant_key = completed_activities.participant_key
