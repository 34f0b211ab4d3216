{%- set completions = ['interviews_completed', 'surveys_completed', 'tests_completed'] -%}
{%- set series = completions + ['no_shows', 'interviews_cancelled', 'incentives_sent', 'incentives_claimed'] -%}
{%- set activities = ['interview', 'survey', 'unmoderated_test'] -%}

with

changes as (
    select * from {{ ref('status_changes') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
),

meanings as (
    select
        statuses.status,
        statuses.activity,
        statuses.dashboard_series,
        statuses.is_contact,
        statuses.is_invitation,
        statuses.is_completion,
        statuses.ends_contact,
        coalesce(steps.is_response, false) as is_response
    from statuses
    left join steps
        on statuses.funnel_step = steps.step
),

marked as (
    select
        changes.*,
        meanings.activity,
        meanings.is_contact,
        meanings.is_invitation,
        meanings.is_completion,
        meanings.ends_contact,
        case when not changes.is_inferred then meanings.dashboard_series end as dashboard_series,
        not changes.is_inferred and meanings.is_contact as contacts,
        not changes.is_inferred and meanings.is_invitation as invites,
        not changes.is_inferred and meanings.is_completion as completes,
        not changes.is_inferred and meanings.is_response as responds,
        changes.occurred_at > {{ days_before(as_of(), 30) }} as in_30d,
        changes.occurred_at > {{ days_before(as_of(), 90) }} as in_90d,
        changes.occurred_at > {{ days_before(as_of(), 365) }} as in_365d
    from changes
    inner join meanings
        on changes.status = meanings.status
)

select
    participant_id,
    person_id,
    study_id,

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
    min(case when completes then occurred_at end) as first_completed_at,
    max(case when completes then occurred_at end) as last_completed_at
from marked
group by participant_id, person_id, study_id
