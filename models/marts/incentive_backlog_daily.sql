with

spans as (
    select
        study_key,
        backlog_state,
        {{ report_date('began_at') }} as began_on,
        {{ report_date('ended_at') }} as ended_on,
        {{ report_date(days_before('began_at', '-' ~ var('incentive_sla_days'))) }} as overdue_on,
        ended_at is null and began_at >= {{ days_before(as_of(), var('incentive_sla_days')) }} as is_open_and_in_time
    from {{ ref('int_incentive_states') }}
    where backlog_state is not null
),

studies as (
    select * from {{ ref('int_studies') }}
),

-- Who comes and goes on one day is in no state at its end, and who goes on the day it becomes overdue was not.
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
    -- Of those that become overdue on the day of as-of, some will only after it.
    select
        study_key,
        backlog_state,
        overdue_on as moved_on,
        0 as moved,
        case when is_open_and_in_time then 0 else 1 end as moved_overdue
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

-- What a day with moves leaves behind holds until the next one.
balances as (
    select
        study_key,
        backlog_state,
        moved_on,
        sum(moved) over in_order as participants,
        sum(moved_overdue) over in_order as overdue,
        lead(moved_on) over in_order as next_moved_on
    from moves
    window in_order as (partition by study_key, backlog_state order by moved_on)
),

lasting as (
    select
        *,
        coalesce(
            next_moved_on - 1, {{ report_date(as_of()) }}
        ) as lasts_until
    from balances
    where participants > 0
),

days as (
    {{ each_day('lasting', ['study_key', 'backlog_state', 'participants', 'overdue'], 'moved_on', 'lasts_until') }}
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
