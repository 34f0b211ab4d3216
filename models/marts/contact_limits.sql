{{ config(materialized='incremental', incremental_strategy='by_person') }}

with

rules as (
    select
        *,
        row_number() over (order by rule_id) as rule_number
    from {{ ref('stg_governance_rules') }}
),

events as (
    select * from {{ touched_rows_of(ref('int_governed_events'), ref('int_touched_people')) }}
),

identities as (
    select distinct
        person_key,
        person_id
    from {{ touched_rows_of(ref('stg_identities'), ref('int_touched_people')) }}
),

-- Who has no more than is allowed in all their time cannot have more in a part of it.
events_in_all as (
    select
        person_key,
        kind,
        count(*) as events
    from events
    group by person_key, kind
),

suspects as (
    select
        rules.rule_number,
        events_in_all.person_key
    from rules
    inner join events_in_all
        on rules.counted_kind = events_in_all.kind
    where events_in_all.events > rules.at_most
),

suspicious as (
    select
        rules.rule_number,
        rules.at_most,
        rules.within_days,
        events.person_key,
        events.occurred_at,
        case when events.kind = rules.judged_kind then 1 else 0 end as judged,
        case when events.kind = rules.counted_kind then 1 else 0 end as counted
    from suspects
    inner join rules
        on suspects.rule_number = rules.rule_number
    inner join events
        on suspects.person_key = events.person_key and events.kind in (rules.judged_kind, rules.counted_kind)
),

-- An event enters the window when it happens and leaves it so many days later.
window_moves as (
    select
        rule_number,
        at_most,
        person_key,
        occurred_at as moved_at,
        judged,
        counted as moved
    from suspicious
    union all
    select
        rule_number,
        at_most,
        person_key,
        {{ days_before('occurred_at', '-within_days') }} as moved_at,
        0 as judged,
        -1 as moved
    from suspicious
    where counted = 1
),

windows as (
    select
        *,
        sum(moved) over (
            partition by rule_number, person_key order by moved_at range between unbounded preceding and current row
        ) as in_window
    from window_moves
),

summed as (
    select
        rule_number,
        person_key,
        sum(case when judged = 1 and in_window > at_most then 1 else 0 end) as times_exceeded,
        min(case when judged = 1 and in_window > at_most then moved_at end) as first_exceeded_at,
        max(case when judged = 1 and in_window > at_most then moved_at end) as last_exceeded_at,
        max(case when judged = 1 then in_window end) as most_in_window,
        sum(case when moved_at <= {{ as_of() }} then moved else 0 end) as in_window_now
    from windows
    group by rule_number, person_key
)

select
    identities.person_id,
    rules.rule_id,
    rules.rule_name,
    rules.at_most,
    rules.within_days,
    summed.first_exceeded_at,
    summed.last_exceeded_at,
    cast(summed.times_exceeded as integer) as times_exceeded,
    cast(summed.most_in_window as integer) as most_in_window,
    cast(summed.most_in_window - rules.at_most as integer) as exceeded_by,
    cast(summed.in_window_now as integer) as in_window_now
from summed
inner join identities
    on summed.person_key = identities.person_key
inner join rules
    on summed.rule_number = rules.rule_number
where summed.times_exceeded > 0
