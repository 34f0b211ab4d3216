{{ config(materialized='incremental', incremental_strategy='by_person') }}
{%- set counts = {
    'contacts': [30, 90], 'interviews_completed': [30, 90, 365], 'surveys_completed': [30, 90, 365],
    'tests_completed': [30, 90, 365], 'no_shows': [], 'interviews_cancelled': [], 'late_cancellations': [],
    'incentives_sent': [], 'incentives_claimed': []
} -%}

with

participants as (
    select * from {{ touched_rows_of(ref('int_participants'), ref('int_touched_people')) }}
),

stages as (
    select * from {{ ref('stages') }}
),

recent_activity as (
    select * from {{ touched_rows_of(ref('int_recent_activity'), ref('int_touched_people')) }}
),

opted_out as (
    select * from {{ touched_rows_of(ref('int_opted_out'), ref('int_touched_people')) }}
),

described_people as (
    select * from {{ ref('stg_people') }}
),

contact_statuses as (
    select * from {{ ref('contact_statuses') }}
),

study_counts as (
    select
        participants.person_key,
        any_value(participants.person_id) as person_id,
        min(participants.first_seen_at) as first_seen_at,
        max(participants.last_changed_at) as last_changed_at,
        count(distinct participants.study_key) as studies,
        sum(case when stages.is_active then 1 else 0 end) as studies_active,
        sum(case when stages.stage_key = 'not_started' then 1 else 0 end) as studies_not_started,
        sum(case when stages.stage_key = 'done' then 1 else 0 end) as studies_done,
        sum(case when stages.stage_key = 'cancelled' then 1 else 0 end) as studies_cancelled
    from participants
    inner join stages
        on participants.stage_order = stages.stage_order
    group by participants.person_key
),

activity as (
    select
        person_key,
        {%- for count in counts %}
            sum({{ count }}) as {{ count }},
        {%- endfor %}
        max(last_contact_at) as last_contact_at,
        max(last_completed_at) as last_completed_at,
        greatest(
            {{ days_before('max(last_invitation_known_at)', '-' ~ var('invitation_cooldown_days')) }},
            {{ days_before('max(last_completion_known_at)', '-' ~ var('participation_cooldown_days')) }}
        ) as cooldown_ends_at,
        count(first_invited_at) as studies_invited,
        count(case when last_response_number > first_invitation_number then 1 end) as studies_responded
    from {{ touched_rows_of(ref('int_participations'), ref('int_touched_people')) }}
    group by person_key
)

select
    study_counts.person_id,
    described_people.person_name,

    case
        when opted_out.person_key is not null then 'Opted Out'
        when contact_statuses.is_set_by_hand then contact_statuses.contact_status
        when activity.cooldown_ends_at > {{ as_of() }} then 'In Cooldown'
        else 'Free to Contact'
    end as contact_status,
    case when activity.cooldown_ends_at > {{ as_of() }} then activity.cooldown_ends_at end as cooldown_ends_at,
    study_counts.studies_active > 0 as is_active_in_study,

    study_counts.first_seen_at,
    study_counts.last_changed_at,
    activity.last_contact_at,
    activity.last_completed_at,

    cast(study_counts.studies as integer) as studies,
    cast(study_counts.studies_not_started as integer) as studies_not_started,
    cast(study_counts.studies_active as integer) as studies_active,
    cast(study_counts.studies_done as integer) as studies_done,
    cast(study_counts.studies_cancelled as integer) as studies_cancelled,
    cast(activity.studies_invited as integer) as studies_invited,
    {%- for count, windows in counts.items() %}
        cast(activity.{{ count }} as integer) as {{ count }},
        {%- for days in windows %}
            cast(coalesce(recent_activity.{{ count }}_{{ days }}d, 0) as integer) as {{ count }}_{{ days }}d,
        {%- endfor %}
    {%- endfor %}
    {{ ratio('activity.studies_responded', 'activity.studies_invited') }} as response_rate
from study_counts
inner join activity
    on study_counts.person_key = activity.person_key
left join opted_out
    on study_counts.person_key = opted_out.person_key
left join recent_activity
    on study_counts.person_key = recent_activity.person_key
left join described_people
    on study_counts.person_id = described_people.person_id
left join contact_statuses
    on described_people.contact_status = contact_statuses.contact_status
