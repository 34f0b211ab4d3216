with

visits as (
    select
        study_key,
        stage_order,
        started_on,
        ended_on,
        is_open
    from {{ ref('int_stage_visits') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

stages as (
    select * from {{ ref('stages') }}
),

entries_and_exits as (
    select
        study_key,
        stage_order,
        started_on as moved_on,
        1 as entered,
        0 as exited
    from visits
    union all
    select
        study_key,
        stage_order,
        ended_on as moved_on,
        0 as entered,
        1 as exited
    from visits
    where not is_open
),

moves as (
    select
        study_key,
        stage_order,
        moved_on,
        sum(entered) as entered,
        sum(exited) as exited
    from entries_and_exits
    group by study_key, stage_order, moved_on
),

-- The balance after a day with moves holds until the next day with moves.
balances as (
    select
        *,
        sum(entered - exited) over history as participants,
        lead(moved_on) over history as next_moved_on
    from moves
    window history as (partition by study_key, stage_order order by moved_on)
),

balance_spans as (
    select
        *,
        case
            when participants = 0 then moved_on
            when next_moved_on is null then {{ report_date(as_of()) }}
            else next_moved_on - 1
        end as lasts_until
    from balances
),

days as (
    {{ each_day('balance_spans', ['study_key', 'stage_order', 'participants', 'entered', 'exited', 'moved_on'],
        'moved_on', 'lasts_until') }}
)

select
    studies.study_id,
    days.day,
    stages.stage,
    cast(days.participants as integer) as participants,
    cast(case when days.day = days.moved_on then days.entered else 0 end as integer) as entered,
    cast(case when days.day = days.moved_on then days.exited else 0 end as integer) as {{ adapter.quote('left') }}
from days
inner join studies
    on days.study_key = studies.study_key
inner join stages
    on days.stage_order = stages.stage_order
