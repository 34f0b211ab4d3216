{%- set completions = ['interviews_completed', 'surveys_completed', 'tests_completed'] -%}
{%- set series = completions + ['no_shows', 'interviews_cancelled', 'incentives_sent', 'incentives_claimed'] -%}
{%- set activities = ['interview', 'survey', 'unmoderated_test'] -%}

with

changes as (
    select * from {{ ref('int_status_changes') }}
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
        case when not changes.is_inferred then statuses.dashboard_series end as dashboard_series,
        not changes.is_inferred and statuses.is_contact as contacts,
        not changes.is_inferred and statuses.is_invitation as invites,
        not changes.is_inferred and statuses.is_completion as completes,
        not changes.is_inferred and statuses.is_response as responds,
        not changes.follows_gap
        and statuses.dashboard_series = 'interviews_cancelled'
        and statuses_before.dashboard_series = 'interviews_scheduled'
        and {{ hours_between('changes.occurred_before', 'changes.occurred_at') }}
        >= {{ var('late_cancellation_hours') }} as cancels_late,
        changes.occurred_at > {{ days_before(as_of(), 30) }} as in_30d,
        changes.occurred_at > {{ days_before(as_of(), 90) }} as in_90d,
        changes.occurred_at > {{ days_before(as_of(), 365) }} as in_365d
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    left join statuses as statuses_before
        on changes.rank_before = statuses_before.status_rank
)

select
    participant_key,
    person_key,
    study_key,

    -- What they were sent; inferred changes are no contacts.
    count(case when contacts then 1 end) as contacts,
    count(case when contacts and in_30d then 1 end) as contacts_30d,
    count(case when contacts and in_90d then 1 end) as contacts_90d,
    max(case when contacts then occurred_at end) as last_contact_at,
    max(case when contacts then sequence_number end) as last_contact_number,
    min(case when invites then occurred_at end) as first_invited_at,
    min(case when invites then sequence_number end) as first_invitation_number,
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
    {%- for one in completions %}
        {%- for days in ['30d', '90d', '365d'] %}
            count(case when dashboard_series = '{{ one }}' and in_{{ days }} then 1 end) as {{ one }}_{{ days }},
        {%- endfor %}
    {%- endfor %}
    count(case when cancels_late then 1 end) as late_cancellations,
    min(case when completes then occurred_at end) as first_completed_at,
    max(case when completes then occurred_at end) as last_completed_at
from marked
group by participant_key, person_key, study_key
