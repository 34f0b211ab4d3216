{%- set horizon_days, fewest_spells = 56, 30 -%}
with

incidence as (
    select * from {{ ref('int_incidence') }}
    where step_order = 0 and started_month is null
),

curves as (
    select
        moment,
        study_key,
        study_type,
        max(at_risk) as spells,
        max(completed_share) as last_share
    from incidence
    group by moment, study_key, study_type
),

-- What a forecast rests on: the study's own spells if they are enough, else those of its type.
sources as (
    select
        own.moment,
        own.study_key,
        own.study_type,
        own.spells >= {{ fewest_spells }} as is_own,
        case when own.spells >= {{ fewest_spells }} then own.spells else pooled.spells end as spells,
        case when own.spells >= {{ fewest_spells }} then own.last_share else pooled.last_share end as last_share
    from curves as own
    inner join curves as pooled
        on own.moment = pooled.moment and own.study_type = pooled.study_type
    inner join {{ ref('int_studies') }} as studies
        on own.study_key = studies.study_key
    where
        pooled.study_key is null and pooled.spells >= {{ fewest_spells }}
        and coalesce(studies.closed_on > {{ report_date('own.moment') }}, true)
),

source_rows as (
    select
        sources.*,
        incidence.hours,
        incidence.active_after,
        incidence.completed_share
    from sources
    inner join incidence
        on
            sources.moment = incidence.moment and sources.study_type = incidence.study_type
            and incidence.study_key is not distinct from case when sources.is_own then sources.study_key end
),

-- Those who are still active, by age, as long as anyone completes later; and somebody who is invited now.
invited as (
    select
        source_rows.moment,
        source_rows.study_key,
        source_rows.hours,
        incidence.active,
        source_rows.completed_share as share_before,
        source_rows.active_after
    from source_rows
    inner join incidence
        on
            source_rows.moment = incidence.moment and source_rows.study_key = incidence.study_key
            and source_rows.hours = incidence.hours
    where incidence.active > 0 and source_rows.completed_share < source_rows.last_share
    union all
    select moment, study_key, 0 as hours, 0 as active, 0e0 as share_before, 1e0 as active_after -- noqa: LT09
    from sources
),

days_ahead as (
    select 1 as days
    {%- for days in range(2, horizon_days + 1) %}
        union all
        select {{ days }} as days
    {%- endfor %}
),

ages as (
    select -- noqa: LT09
        invited.*, days_ahead.days, invited.hours + 24 * days_ahead.days as hours_then, null as completed_share
    from invited
    cross join days_ahead
    union all
    select -- noqa: LT09
        moment, study_key, hours, null as a, null as b, null as c, null as days, hours as hours_then, completed_share
    from source_rows
),

looked_up as (
    select
        *,
        coalesce(max(completed_share) over (
            partition by moment, study_key order by hours_then range between unbounded preceding and current row
        ), 0e0) as share_then
    from ages
),

chances as (
    select
        *,
        least(greatest((share_then - share_before) / active_after, 0e0), 1e0) as chance
    from looked_up
    where days > 0
)

select
    chances.moment,
    chances.study_key,
    chances.days,
    sources.is_own,
    sources.spells,
    {{ rounded(exact_sum('chances.active * chances.chance'), 9) }} as expected,
    {{ rounded(exact_sum('chances.active * chances.chance * (1e0 - chances.chance)'), 9) }} as variance,
    max(case when chances.active = 0 then chances.share_then end) as invited_share
from chances
inner join sources
    on chances.moment = sources.moment and chances.study_key = sources.study_key
group by chances.moment, chances.study_key, chances.days, sources.is_own, sources.spells
