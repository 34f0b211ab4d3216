with

spans as (
    select
        study_key,
        backlog_state,
        {{ report_date('began_at') }} as began_on,
        {{ report_date('ended_at') }} as ended_on,
        {{ report_date(days_before('began_at', '-' ~ var('incentive_sla_days'))) }} as overdue_on,
        ended_at is null and began_at >= {{ days_before(as_of(), var('incentive_sla_days')) }} as is_not_yet_overdue
    from {{ ref('int_incentive_states') }}
    where backlog_state is not null
),

studies as (
    select * from {{ ref('int_studies') }}
),

-- A state that ends on the day it began counts on no day. One that ends on the day it became overdue was never overdue.
entries_and_exits as (
    select
        study_key,
        backlog_state,
        began_on as moved_on,
        1 as moved,
        0 as moved_overdue
    from spans
    union all
    select
        study_key,
        backlog_state,
        ended_on as moved_on,
        -1 as moved,
        case when overdue_on < ended_on then -1 else 0 end as moved_overdue
    from spans
    where ended_on is not null
    union all
    -- On the day of as-of, a state counts as overdue only if it became overdue before as-of.
    select
        study_key,
        backlog_state,
        overdue_on as moved_on,
        0 as moved,
        case when is_not_yet_overdue then 0 else 1 end as moved_overdue
    from spans
    where overdue_on < ended_on or ended_on is null
),

moves as (
    select
        study_key,
        backlog_state,
        moved_on,
        sum(moved) as moved,
        sum(moved_overdue) as moved_overdue
    from entries_and_exits
    where moved_on <= {{ report_date(as_of()) }}
    group by study_key, backlog_state, moved_on
),

-- The balance after a day with moves holds until the next day with moves.
balances as (
    select
        study_key,
        backlog_state,
        moved_on,
        sum(moved) over history as participants,
        sum(moved_overdue) over history as overdue,
        coalesce(lead(moved_on) over history - 1, {{ report_date(as_of()) }}) as lasts_until
    from moves
    window history as (partition by study_key, backlog_state order by moved_on)
    qualify participants > 0
),

days as (
    {{ each_day('balances', ['study_key', 'backlog_state', 'participants', 'overdue'], 'moved_on', 'lasts_until') }}
)

select
    days.day,
    studies.study_id,
    days.backlog_state,
    cast(days.participants as integer) as participants,
    cast(days.overdue as integer) as overdue,
    cast(days.participants * studies.incentive_cents as bigint) as amount_cents
from days
inner join studies
    on days.study_key = studies.study_key
