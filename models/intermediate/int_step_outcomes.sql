{%- set days_watched, days_to_go_on, hours_missing = 20, 10, 16 -%}
{%- set arrived = '(' ~ weekday_hours('moves.arrived_at') ~ ' - ' ~ hours_missing ~ ')' -%}
with

-- Participants leave these steps by an answer of their own. The team moves them out of the others.
watched_steps as (
    select
        step_order,
        lead(is_response) over (order by step_order) as is_watched
    from {{ ref('funnel_steps') }}
),

-- Nothing is known about the time after the last change of all participants.
last_change as (
    select max(last_changed_at) as occurred_at
    from {{ ref('int_participants') }}
),

-- People whom the team took out in bulk cannot go on any more.
people_taken_out as (
    select distinct
        participants.participant_key,
        participants.furthest_step_order as step_order
    from {{ ref('int_unexpected_changes') }} as unexpected
    inner join {{ ref('int_participants') }} as participants
        on unexpected.participant_key = participants.participant_key
    where unexpected.bulk_size is not null and participants.is_terminal
),

arrivals_and_moves as (
    select
        steps.study_key,
        steps.step_order,
        steps.first_delivered_at as arrived_at,
        cast(null as {{ instant_type() }}) as went_on_at,
        case when people_taken_out.participant_key is not null then 1 else 0 end as taken_out
    from {{ ref('int_participant_steps') }} as steps
    left join people_taken_out
        on steps.participant_key = people_taken_out.participant_key and steps.step_order = people_taken_out.step_order
    where steps.first_delivered_at is not null
    union all
    select
        study_key,
        step_order_before as step_order,
        first_delivered_before as arrived_at,
        first_at as went_on_at,
        0 as taken_out
    from {{ ref('int_participant_steps') }}
    where first_delivered_before is not null
),

-- In days of 24 hours, the first of which has 8; Saturdays and Sundays are left out. `days_taken` is null for arrivals.
counted as (
    select
        moves.study_key,
        moves.step_order,
        floor(({{ weekday_hours('last_change.occurred_at') }} - {{ arrived }}) / 24e0) as days_ago,
        ceil(({{ weekday_hours('moves.went_on_at') }} - {{ arrived }}) / 24e0) as days_taken,
        min(moves.arrived_at) as since,
        count(*) as participants,
        sum(moves.taken_out) as taken_out
    from arrivals_and_moves as moves
    inner join watched_steps
        on moves.step_order = watched_steps.step_order and watched_steps.is_watched
    cross join last_change
    group by all
),

days as (
    {{ numbered('days', range(1, days_to_go_on + 1)) }}
)

select
    counted.study_key,
    counted.step_order,
    cast(least(counted.days_ago, {{ days_watched }} + 1) as integer) as days_ago,
    days.days,
    least(counted.days_ago, {{ days_to_go_on }}) = days.days as is_all_known,
    min(counted.since) as since,
    cast(sum(case when counted.days_taken is null then counted.participants else 0 end) as bigint) as arrived,
    cast(sum(counted.taken_out) as bigint) as taken_out,
    cast(sum(case when counted.days_taken <= days.days then counted.participants else 0 end) as bigint) as went_on
from counted
inner join days
    on counted.days_ago >= days.days
group by all
