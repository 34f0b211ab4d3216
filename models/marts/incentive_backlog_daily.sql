with

moves as (
    select * from {{ ref('int_study_backlog_moves') }}
    where moved_on <= {{ report_date(as_of()) }}
),

-- Of those that become overdue today, these will only after as-of.
not_yet_overdue as (
    select
        study_id,
        backlog_state,
        {{ report_date(as_of()) }} as moved_on,
        count(*) as participants
    from {{ ref('incentive_states') }}
    where
        ended_at is null
        and backlog_state is not null
        and began_at >= {{ days_before(as_of(), var('incentive_sla_days')) }}
        and {{ report_date(days_before('began_at', '-' ~ var('incentive_sla_days'))) }} = {{ report_date(as_of()) }}
    group by study_id, backlog_state
),

studies as (
    select * from {{ ref('int_studies') }}
),

-- What a day with moves leaves behind holds until the next one.
balances as (
    select
        moves.study_id,
        moves.backlog_state,
        moves.moved_on,
        sum(moves.moved) over in_order as participants,
        sum(
            moves.became_overdue - moves.left_overdue - coalesce(not_yet_overdue.participants, 0)
        ) over in_order as overdue,
        lead(moves.moved_on) over in_order as next_moved_on
    from moves
    left join not_yet_overdue
        on
            moves.study_id = not_yet_overdue.study_id
            and moves.backlog_state = not_yet_overdue.backlog_state
            and moves.moved_on = not_yet_overdue.moved_on
    window in_order as (partition by moves.study_id, moves.backlog_state order by moves.moved_on)
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
