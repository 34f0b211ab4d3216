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

-- Only people with more events overall than a rule allows can exceed the rule within its window of days.
event_counts as (
    select
        person_key,
        kind,
        count(*) as events
    from events
    group by person_key, kind
),

candidate_events as (
    select
        rules.rule_number,
        rules.at_most,
        rules.within_days,
        events.person_key,
        events.occurred_at,
        events.kind = rules.judged_kind as is_judged,
        events.kind = rules.counted_kind as is_counted
    from rules
    inner join event_counts
        on rules.counted_kind = event_counts.kind and rules.at_most < event_counts.events
    inner join events
        on event_counts.person_key = events.person_key and events.kind in (rules.judged_kind, rules.counted_kind)
),

-- A counted event enters the rule's window when it occurs, and leaves it within_days later.
window_moves as (
    select
        rule_number,
        at_most,
        person_key,
        occurred_at as moved_at,
        is_judged,
        case when is_counted then 1 else 0 end as change_of_count
    from candidate_events
    union all
    select
        rule_number,
        at_most,
        person_key,
        {{ days_before('occurred_at', '-within_days') }} as moved_at,
        false as is_judged,
        -1 as change_of_count
    from candidate_events
    where is_counted
),

running_counts as (
    select
        *,
        sum(change_of_count) over (
            partition by rule_number, person_key order by moved_at range between unbounded preceding and current row
        ) as in_window
    from window_moves
),

exceeded as (
    select
        rule_number,
        person_key,
        sum(case when is_judged and in_window > at_most then 1 else 0 end) as times_exceeded,
        min(case when is_judged and in_window > at_most then moved_at end) as first_exceeded_at,
        max(case when is_judged and in_window > at_most then moved_at end) as last_exceeded_at,
        max(case when is_judged then in_window end) as most_in_window,
        sum(case when moved_at <= {{ as_of() }} then change_of_count else 0 end) as in_window_now
    from running_counts
    group by rule_number, person_key
)

select
    identities.person_id,
    rules.rule_id,
    rules.rule_name,
    rules.at_most,
    rules.within_days,
    exceeded.first_exceeded_at,
    exceeded.last_exceeded_at,
    cast(exceeded.times_exceeded as integer) as times_exceeded,
    cast(exceeded.most_in_window as integer) as most_in_window,
    cast(exceeded.most_in_window - rules.at_most as integer) as exceeded_by,
    cast(exceeded.in_window_now as integer) as in_window_now
from exceeded
inner join identities
    on exceeded.person_key = identities.person_key
inner join rules
    on exceeded.rule_number = rules.rule_number
where exceeded.times_exceeded > 0
