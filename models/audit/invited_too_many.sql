{%- set fewest, followed_hours, times_needed, many = 30, 168, 3, 10 -%}
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

invited as (
    select
        study_key,
        first_invited_at,
        {{ report_date('first_invited_at') }} as day
    from {{ ref('int_participations') }}
    where first_invited_at > {{ days_before(as_of(), 7) }}
),

days as (
    select
        invited.study_key,
        studies.study_id,
        studies.study_type,
        studies.target,
        invited.day,
        min(invited.first_invited_at) as since,
        count(*) as invited
    from invited
    inner join studies
        on invited.study_key = studies.study_key
    group by invited.study_key, studies.study_id, studies.study_type, studies.target, invited.day
),

completed as (
    select
        completions.study_key,
        min(completions.completed_at) as completed_at
    from {{ ref('int_completions') }} as completions
    inner join studies
        on completions.study_key = studies.study_key
    group by completions.study_key, completions.participant_key
),

-- Places that were left when the first invitation of the day was sent.
places as (
    select
        days.study_key,
        days.day,
        greatest(days.target - count(completed.study_key), 0) as places_left
    from days
    left join completed
        on days.study_key = completed.study_key and days.since > completed.completed_at
    group by days.study_key, days.day, days.target
),

-- The share that completes in the end, as far as enough are at risk, if that is a week or more: of the study, else of
-- its type, else of all types.
last_shares as (
    select
        study_key,
        study_type,
        max(at_risk) as spells,
        max(completed_share) as share,
        max_by(completed_variance, hours) as variance
    from {{ ref('int_incidence') }}
    where moment = {{ as_of() }} and step_order = 0 and started_month is null and at_risk >= {{ fewest }}
    group by study_key, study_type
    having max(hours) >= {{ followed_hours }}
),

shares as (
    select *, {{ incidence_bound('low', 'share', 'variance') }} as share_low -- noqa: LT09
    from last_shares
),

shares_of_all as (
    select
        {{ exact_sum('spells * share') }} / sum(spells) as share,
        {{ exact_sum('spells * share_low') }} / sum(spells) as share_low
    from shares
    where study_key is null
),

expected as (
    select
        days.study_id,
        days.day,
        days.invited,
        places.places_left,
        days.invited * coalesce(own.share, of_type.share, of_all.share) as expected,
        days.invited * coalesce(own.share_low, of_type.share_low, of_all.share_low) as expected_at_least
    from days
    inner join places
        on days.study_key = places.study_key and days.day = places.day
    left join shares as own
        on days.study_key = own.study_key
    left join shares as of_type
        on days.study_type = of_type.study_type and of_type.study_key is null
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
from expected
where
    places_left = 0
    or (expected_at_least >= {{ times_needed }} * places_left and expected_at_least >= places_left + {{ many }})
