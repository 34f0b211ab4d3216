{%- set horizon_days, fewest_spells, followed_hours = 56, 30, 168 -%}
with

incidence as (
    select
        *,
        {{ exact_sum('1e0 * completed / at_risk', 'over so_far') }} as hazard
    from {{ ref('int_incidence') }}
    where step_order = 0 and started_month is null
    window so_far as (partition by moment, study_key, study_type order by hours rows unbounded preceding)
),

curves as (
    select
        moment,
        study_key,
        study_type,
        max(at_risk) as spells,
        max(hours) as longest_hours,
        max(completed_share) as last_share
    from incidence
    group by moment, study_key, study_type
),

-- What a forecast rests on: the study's own spells if they are enough and followed for a week, else those of its type.
sources as (
    select
        own.moment,
        own.study_key,
        own.study_type,
        source.study_key as source_key,
        source.spells,
        source.last_share
    from ({{ moments() }}) as moments
    inner join curves as own
        on moments.moment = own.moment and moments.is_forecast
    inner join {{ ref('int_studies') }} as studies
        on own.study_key = studies.study_key
    inner join curves as source
        on
            own.moment = source.moment and own.study_type = source.study_type
            and source.spells >= {{ fewest_spells }} and source.longest_hours >= {{ followed_hours }}
            and source.study_key is not distinct from
            case
                when own.spells >= {{ fewest_spells }} and own.longest_hours >= {{ followed_hours }} then own.study_key
            end
    where coalesce(studies.closed_on > {{ report_date('own.moment') }}, true)
),

rated as (
    {{ with_pace('incidence', 'sources') }}
),

-- Each point of the curve that the forecast rests on, with the people of the study who are active at this age, and a
-- point for a person who is invited now.
points as (
    select -- noqa: LT09
        rated.*, source.hours, source.active_after, source.completed_share, nullif(own.active, 0) as active
    from rated
    inner join incidence as source
        on
            rated.moment = source.moment and rated.study_type = source.study_type
            and rated.source_key is not distinct from source.study_key
    left join incidence as own
        on rated.moment = own.moment and rated.study_key = own.study_key and source.hours = own.hours
    union all
    select *, 0 as hours, 1e0 as active_after, 0e0 as completed_share, 0 as active -- noqa: LT09
    from rated
),

days_ahead as (
    {{ numbered('days', range(1, horizon_days + 1)) }}
),

ages as (
    select *, 0 as days, hours as hours_then, completed_share as known_share -- noqa: LT09
    from points
    union all
    select points.*, ahead.days, points.hours + 24 * ahead.days as hours_then, null as known_share -- noqa: LT09
    from points
    cross join days_ahead as ahead
    where points.active = 0 or (points.active > 0 and points.completed_share < points.last_share)
),

chances as (
    select
        *,
        least(greatest(pace * (max(known_share) over (
            partition by moment, study_key order by hours_then range between unbounded preceding and current row
        ) - completed_share) / nullif(active_after, 0e0), 0e0), 1e0) as chance
    from ages
),

summed as (
    select
        moment,
        study_key,
        days,
        spells,
        source_key,
        pace_variance,
        {{ exact_sum('active * chance') }} as expected,
        {{ exact_sum('active * chance * (1e0 - chance)') }} as own_variance,
        max(case when active = 0 then chance end) as invited_share
    from chances
    where days > 0
    group by moment, study_key, days, spells, source_key, pace_variance
)

select
    moment,
    study_key,
    days,
    spells,
    source_key is not null as is_own,
    {{ rounded('expected', 9) }} as expected,
    {{ rounded('(own_variance + pace_variance * expected * expected)', 9) }} as variance,
    invited_share
from summed
