with

states as (
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
state_changes as (
    select
        study_key,
        backlog_state,
        began_on as changed_on,
        1 as change_in_participants,
        0 as change_in_overdue
    from states
    union all
    select
        study_key,
        backlog_state,
        ended_on as changed_on,
        -1 as change_in_participants,
        case when overdue_on < ended_on then -1 else 0 end as change_in_overdue
    from states
    where ended_on is not null
    union all
    -- On the day of as-of, a state counts as overdue only if it became overdue before as-of.
    select
        study_key,
        backlog_state,
        overdue_on as changed_on,
        0 as change_in_participants,
        case when is_not_yet_overdue then 0 else 1 end as change_in_overdue
    from states
    where overdue_on < ended_on or ended_on is null
),

daily_changes as (
    select
        study_key,
        backlog_state,
        changed_on,
        sum(change_in_participants) as change_in_participants,
        sum(change_in_overdue) as change_in_overdue
    from state_changes
    where changed_on <= {{ report_date(as_of()) }}
    group by study_key, backlog_state, changed_on
),

-- The balance after a day with changes holds until the next day with changes.
balances as (
    select
        study_key,
        backlog_state,
        changed_on,
        sum(change_in_participants) over history as participants,
        sum(change_in_overdue) over history as overdue,
        coalesce(lead(changed_on) over history - 1, {{ report_date(as_of()) }}) as lasts_until
    from daily_changes
    window history as (partition by study_key, backlog_state order by changed_on)
    qualify participants > 0
),

days as (
    {{ each_day('balances', ['study_key', 'backlog_state', 'participants', 'overdue'], 'changed_on', 'lasts_until') }}
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
