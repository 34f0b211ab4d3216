{{ config(materialized='view') }}
{%- set last_day = 56 -%}
with

forecasts as (
    select
        moment,
        study_key,
        days,
        expected,
        sqrt(variance) as deviation
    from {{ ref('int_forecasts') }}
    where moment < {{ as_of() }}
),

studies as (
    select * from {{ ref('int_studies') }}
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
    select
        moment,
        participant_key
    from {{ ref('int_spells') }}
    where step_order = 0 and outcome = 'active' and moment < {{ as_of() }}
),

-- Day 0: before the moment. `invited`: those who had been invited by then and were active.
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
)

select
    forecasts.moment,
    forecasts.study_key,
    forecasts.days,
    forecasts.expected,
    forecasts.deviation,
    cast(studies.aim - coalesce(before.everyone, 0) as integer) as remaining,
    cast(studies.aim - coalesce(before.everyone, 0) - sum(coalesce(by_day.everyone, 0)) over so_far as integer)
        as remaining_then,
    cast(sum(coalesce(by_day.invited, 0)) over so_far as integer) as came
from forecasts
inner join studies
    on forecasts.study_key = studies.study_key
left join by_day
    on
        forecasts.moment = by_day.moment
        and forecasts.study_key = by_day.study_key
        and forecasts.days = by_day.days
left join by_day as before
    on forecasts.moment = before.moment and forecasts.study_key = before.study_key and before.days = 0
window so_far as (
    partition by forecasts.moment, forecasts.study_key order by forecasts.days rows unbounded preceding
)
