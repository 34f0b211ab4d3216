{%- set min_at_risk, min_followed_hours, min_ratio, min_excess = 30, 168, 3, 10 -%}
with

studies as (
    select
        studies.study_key,
        studies.study_id,
        studies.study_type,
        forecast.target
    from {{ ref('int_studies') }} as studies
    inner join {{ ref('study_forecast') }} as forecast
        on studies.study_id = forecast.study_id
    where forecast.target is not null and not forecast.is_closed
),

first_invitations as (
    select
        study_key,
        first_invited_at,
        {{ report_date('first_invited_at') }} as day
    from {{ ref('int_participations') }}
    where first_invited_at > {{ days_before(as_of(), 7) }}
),

invitation_days as (
    select
        first_invitations.study_key,
        studies.study_id,
        studies.study_type,
        studies.target,
        first_invitations.day,
        min(first_invitations.first_invited_at) as since,
        count(*) as invited
    from first_invitations
    inner join studies
        on first_invitations.study_key = studies.study_key
    group by first_invitations.study_key, studies.study_id, studies.study_type, studies.target, first_invitations.day
),

completions as (
    select
        completions.study_key,
        min(completions.completed_at) as completed_at
    from {{ ref('int_completions') }} as completions
    inner join studies
        on completions.study_key = studies.study_key
    group by completions.study_key, completions.participant_key
),

-- Places left when the first invitation of the day was sent.
places as (
    select
        invitation_days.study_key,
        invitation_days.day,
        greatest(invitation_days.target - count(completions.study_key), 0) as places_left
    from invitation_days
    left join completions
        on invitation_days.study_key = completions.study_key and invitation_days.since > completions.completed_at
    group by invitation_days.study_key, invitation_days.day, invitation_days.target
),

-- The completed share at the last hour with enough people at risk, if that is a week or more after the invitation.
last_shares as (
    select
        study_key,
        study_type,
        max(at_risk) as spells,
        max(completed_share) as completed_share,
        max_by(completed_variance, hours) as completed_variance
    from {{ ref('int_incidence') }}
    where moment = {{ as_of() }} and step_order = 0 and started_month is null and at_risk >= {{ min_at_risk }}
    group by study_key, study_type
    having max(hours) >= {{ min_followed_hours }}
),

shares as (
    {{ with_bands('last_shares', ['completed']) }}
),

shares_of_all as (
    select
        {{ exact_sum('spells * completed_share') }} / sum(spells) as share,
        {{ exact_sum('spells * completed_low') }} / sum(spells) as share_low
    from shares
    where study_key is null
),

-- The share of the study, else of its type, else of all types.
expected_completions as (
    select
        invitation_days.study_id,
        invitation_days.day,
        invitation_days.invited,
        places.places_left,
        invitation_days.invited * coalesce(own.completed_share, of_type.completed_share, of_all.share) as expected,
        invitation_days.invited * coalesce(own.completed_low, of_type.completed_low, of_all.share_low)
            as expected_at_least
    from invitation_days
    inner join places
        on invitation_days.study_key = places.study_key and invitation_days.day = places.day
    left join shares as own
        on invitation_days.study_key = own.study_key
    left join shares as of_type
        on invitation_days.study_type = of_type.study_type and of_type.study_key is null
    cross join shares_of_all as of_all
)

select
    study_id,
    day,
    case when places_left = 0 then 'full' else 'burst' end as reason,
    cast(invited as integer) as invited,
    cast(places_left as integer) as places_left,
    {{ rounded('expected', 6) }} as expected,
    {{ rounded('(expected - places_left)', 6) }} as overshoot
from expected_completions
where
    places_left = 0
    or (expected_at_least >= {{ min_ratio }} * places_left and expected_at_least >= places_left + {{ min_excess }})
