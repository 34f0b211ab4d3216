with

states as (
    select
        *,
        {{ days_before('began_at', '-' ~ var('incentive_sla_days')) }} as overdue_at
    from {{ ref('incentive_states') }}
    where backlog_state is not null
),

spans as (
    select
        study_id,
        backlog_state,
        {{ report_date('began_at') }} as began_on,
        {{ report_date('ended_at') }} as ended_on,
        {{ report_date('overdue_at') }} as overdue_on
    from states
),

-- Who comes and goes on one day is in no state at its end, and who goes on the day it becomes overdue was not.
entries_and_exits as (
    select
        study_id,
        backlog_state,
        began_on as moved_on,
        1 as moved,
        0 as became_overdue,
        0 as left_overdue
    from spans
    union all
    select
        study_id,
        backlog_state,
        ended_on as moved_on,
        -1 as moved,
        0 as became_overdue,
        case when overdue_on < ended_on then 1 else 0 end as left_overdue
    from spans
    where ended_on is not null
    union all
    select
        study_id,
        backlog_state,
        overdue_on as moved_on,
        0 as moved,
        1 as became_overdue,
        0 as left_overdue
    from spans
    where overdue_on < ended_on or ended_on is null
)

select
    study_id,
    backlog_state,
    moved_on,
    sum(moved) as moved,
    sum(became_overdue) as became_overdue,
    sum(left_overdue) as left_overdue
from entries_and_exits
group by study_id, backlog_state, moved_on
