{%- set counts = [
    'contacts', 'contacts_30d', 'contacts_90d',
    'interviews_completed', 'interviews_completed_30d', 'interviews_completed_90d', 'interviews_completed_365d',
    'surveys_completed', 'surveys_completed_30d', 'surveys_completed_90d', 'surveys_completed_365d',
    'tests_completed', 'tests_completed_30d', 'tests_completed_90d', 'tests_completed_365d',
    'no_shows', 'interviews_cancelled', 'incentives_sent', 'incentives_claimed'
] -%}

with

participations as (
    select * from {{ ref('int_participations') }}
),

late_cancellations as (
    select
        participant_id,
        count(*) as late_cancellations
    from {{ ref('int_late_cancellations') }}
    group by participant_id
),

judged as (
    select
        participations.*,
        coalesce(late_cancellations.late_cancellations, 0) as late_cancellations,
        case when participations.first_invited_at is not null then 1 else 0 end as was_invited,
        case
            when participations.last_response_number > participations.first_invitation_number then 1
            else 0
        end as has_responded,
        case
            when participations.contact_ended_number > coalesce(participations.last_contact_number, 0)
                then participations.contact_ended_at
        end as opted_out_at,
        greatest(
            {{ days_before('participations.last_invitation_known_at', '-' ~ var('invitation_cooldown_days')) }},
            {{ days_before('participations.last_completion_known_at', '-' ~ var('participation_cooldown_days')) }}
        ) as cooldown_ends_at
    from participations
    left join late_cancellations
        on participations.participant_id = late_cancellations.participant_id
)

select
    person_id,
    max(last_contact_at) as last_contact_at,
    max(last_completed_at) as last_completed_at,
    max(opted_out_at) as opted_out_at,
    max(cooldown_ends_at) as cooldown_ends_at,
    sum(was_invited) as studies_invited,
    sum(has_responded) as studies_responded,
    {%- for count in counts %}
        sum({{ count }}) as {{ count }},
    {%- endfor %}
    sum(late_cancellations) as late_cancellations
from judged
group by person_id
