{%- set counts = [
    'contacts', 'contacts_30d', 'contacts_90d',
    'interviews_completed', 'interviews_completed_30d', 'interviews_completed_90d', 'interviews_completed_365d',
    'surveys_completed', 'surveys_completed_30d', 'surveys_completed_90d', 'surveys_completed_365d',
    'tests_completed', 'tests_completed_30d', 'tests_completed_90d', 'tests_completed_365d',
    'no_shows', 'interviews_cancelled', 'late_cancellations', 'incentives_sent', 'incentives_claimed'
] -%}

with

participants as (
    select * from {{ ref('participants') }}
),

stages as (
    select * from {{ ref('stages') }}
),

activity as (
    select * from {{ ref('int_people_activity') }}
),

described as (
    select * from {{ ref('stg_people') }}
),

contact_statuses as (
    select * from {{ ref('contact_statuses') }}
),

studies as (
    select
        participants.person_id,
        min(participants.first_seen_at) as first_seen_at,
        max(participants.last_changed_at) as last_changed_at,
        count(distinct participants.study_id) as studies,
        sum(case when stages.is_active then 1 else 0 end) as studies_active,
        sum(case when stages.export_name = 'not_started' then 1 else 0 end) as studies_not_started,
        sum(case when stages.export_name = 'done' then 1 else 0 end) as studies_done,
        sum(case when stages.export_name = 'cancelled' then 1 else 0 end) as studies_cancelled
    from participants
    inner join stages
        on participants.current_stage = stages.stage
    group by participants.person_id
)

select
    studies.person_id,
    described.person_name,

    case
        when activity.opted_out_at >= coalesce(activity.last_contact_at, activity.opted_out_at) then 'Opted Out'
        when contact_statuses.is_set_by_hand then contact_statuses.contact_status
        when activity.cooldown_ends_at > {{ as_of() }} then 'In Cooldown'
        else 'Free to Contact'
    end as contact_status,
    case when activity.cooldown_ends_at > {{ as_of() }} then activity.cooldown_ends_at end as cooldown_ends_at,
    studies.studies_active > 0 as is_active_in_study,

    studies.first_seen_at,
    studies.last_changed_at,
    activity.last_contact_at,
    activity.last_completed_at,

    cast(studies.studies as integer) as studies,
    cast(studies.studies_not_started as integer) as studies_not_started,
    cast(studies.studies_active as integer) as studies_active,
    cast(studies.studies_done as integer) as studies_done,
    cast(studies.studies_cancelled as integer) as studies_cancelled,
    cast(coalesce(activity.studies_invited, 0) as integer) as studies_invited,
    {%- for count in counts %}
        cast(coalesce(activity.{{ count }}, 0) as integer) as {{ count }},
    {%- endfor %}
    {{ ratio('activity.studies_responded', 'activity.studies_invited') }} as response_rate
from studies
left join activity
    on studies.person_id = activity.person_id
left join described
    on studies.person_id = described.person_id
left join contact_statuses
    on described.contact_status = contact_statuses.contact_status
