with

states as (
    select
        *,
        {{ days_before('began_at', '-' ~ var('incentive_sla_days')) }} as overdue_at
    from {{ ref('incentive_states') }}
    where backlog_state is not null
),

studies as (
    select * from {{ ref('int_studies') }}
),

spans as (
    select
        study_id,
        backlog_state,
        {{ report_date('began_at') }} as began_on,
        {{ report_date('ended_at') }} as ended_on,
        case when overdue_at < {{ as_of() }} then {{ report_date('overdue_at') }} end as overdue_on
    from states
),

-- Who comes and goes on one day is in no state at its end.
entries_and_exits as (
    select
        study_id,
        backlog_state,
        began_on as day,
        1 as moved,
        0 as moved_overdue
    from spans
    union all
    select
        study_id,
        backlog_state,
        ended_on as day,
        -1 as moved,
        case when overdue_on < ended_on then -1 else 0 end as moved_overdue
    from spans
    where ended_on is not null
    union all
    select
        study_id,
        backlog_state,
        overdue_on as day,
        0 as moved,
        1 as moved_overdue
    from spans
    where overdue_on < ended_on or (overdue_on is not null and ended_on is null)
),

moves as (
    select
        study_id,
        backlog_state,
        day as moved_on,
        sum(moved) as moved,
        sum(moved_overdue) as moved_overdue
    from entries_and_exits
    group by study_id, backlog_state, day
),

-- What a day with moves leaves behind holds until the next one.
balances as (
    select
        study_id,
        backlog_state,
        moved_on,
        sum(moved) over in_order as participants,
        sum(moved_overdue) over in_order as overdue,
        lead(moved_on) over in_order as next_moved_on
    from moves
    window in_order as (partition by study_id, backlog_state order by moved_on)
),

lasting as (
    select
        *,
        coalesce(
            cast({{ dbt.dateadd('day', -1, 'next_moved_on') }} as date), {{ report_date(as_of()) }}
        ) as lasts_until
    from balances
    where participants > 0
),

days as (
    {{ each_day('lasting', ['study_id', 'backlog_state', 'participants', 'overdue'], 'moved_on', 'lasts_until') }}
)

select
    days.day,
    days.study_id,
    days.backlog_state,
    cast(days.participants as integer) as participants,
    cast(days.overdue as integer) as overdue,
    cast(days.participants * studies.incentive_cents as bigint) as amount_cents
from days
inner join studies
    on days.study_id = studies.study_id
