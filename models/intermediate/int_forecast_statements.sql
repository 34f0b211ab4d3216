{{ config(materialized='view') }}
{%- set horizons, levels, last_day = [7, 14, 28], [50, 80, 95], 56 -%}
with

forecasts as (
    select
        *,
        sqrt(variance) as deviation
    from {{ ref('int_forecasts') }}
    where moment < {{ as_of() }}
),

completions as (
    select
        participant_key,
        study_key,
        min(completed_at) as completed_at
    from {{ ref('int_completions') }}
    group by participant_key, study_key
),

active as (
    select * from {{ ref('int_spells') }}
    where step_order = 0 and outcome = 'active' and moment < {{ as_of() }}
),

-- Completions by day after the moment; those before it count as day 0. `invited`: people who were active then.
by_day as (
    select
        forecasts.moment,
        forecasts.study_key,
        case
            when completions.completed_at <= forecasts.moment then 0
            else cast(ceil({{ begun_hours_between('forecasts.moment', 'completions.completed_at') }} / 24e0) as integer)
        end as days,
        count(*) as everyone,
        count(active.participant_key) as invited
    from forecasts
    inner join completions
        on forecasts.study_key = completions.study_key
    left join active
        on
            forecasts.moment = active.moment
            and completions.participant_key = active.participant_key
            and completions.completed_at > active.moment
    where
        forecasts.days = 1
        and completions.completed_at <= {{ days_before('forecasts.moment', -last_day) }}
    group by all
),

-- `remaining`: completions that were missing at the moment. `came`: completions among the people invited by then.
outcomes as (
    select
        forecasts.*,
        studies.aim - coalesce(before.everyone, 0) as remaining,
        studies.aim - coalesce(before.everyone, 0) - sum(coalesce(by_day.everyone, 0)) over so_far as remaining_then,
        sum(coalesce(by_day.invited, 0)) over so_far as came
    from forecasts
    inner join {{ ref('int_studies') }} as studies
        on forecasts.study_key = studies.study_key
    left join by_day
        on forecasts.moment = by_day.moment and forecasts.study_key = by_day.study_key and forecasts.days = by_day.days
    left join by_day as before
        on forecasts.moment = before.moment and forecasts.study_key = before.study_key and before.days = 0
    window so_far as (
        partition by forecasts.moment, forecasts.study_key order by forecasts.days rows unbounded preceding
    )
),

sure as (
    {%- for level in levels %}
        select
            *,
            {{ level }} as confidence,
            expected - {{ deviations_of(level) }} * deviation + 1e-9 as at_least
        from outcomes
        where coalesce(remaining > 0, true)
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

statements as (
    select
        *,
        'full_by' as statement,
        remaining as number
    from sure
    where at_least >= remaining
    qualify row_number() over (partition by moment, study_key, confidence order by days) = 1
    union all
    select
        *,
        'at_least' as statement,
        least(cast(floor(at_least) as bigint), remaining) as number
    from sure
    where at_least >= 1 and days in ({{ horizons | join(', ') }})
),

judged as (
    select
        *,
        (expected - number) / nullif(deviation, 0) as z,
        {{ days_before('moment', '-days') }} as judged_at
    from statements
)

select
    moment,
    study_key,
    statement,
    cast(confidence as integer) as confidence,
    cast(days as integer) as days,
    judged_at,
    cast(number as integer) as number,
    case when z is null then 1e0 else {{ normal_chance('z') }} end as chance,
    cast(case when judged_at <= {{ as_of() }} then came end as integer) as came,
    case when judged_at <= {{ as_of() }} then came >= number end as came_true,
    case when judged_at <= {{ as_of() }} and statement = 'full_by' then remaining_then <= 0 end as was_full
from judged
