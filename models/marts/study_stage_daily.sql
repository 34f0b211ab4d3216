with

moves as (
    select * from {{ ref('int_study_stage_moves') }}
),

-- What a day with moves leaves behind holds until the next one.
balances as (
    select
        *,
        sum(entered - exited) over in_order as participants,
        lead(moved_on) over in_order as next_moved_on
    from moves
    window in_order as (partition by study_id, stage order by moved_on)
),

spans as (
    select
        *,
        case
            when participants = 0 then moved_on
            when next_moved_on is null then {{ report_date(as_of()) }}
            else {{ dbt.dateadd('day', -1, 'next_moved_on') }}
        end as lasts_until
    from balances
),

days as (
    {{ each_day('spans', ['study_id', 'stage', 'participants', 'entered', 'exited', 'moved_on'],
        'moved_on', 'cast(lasts_until as date)') }}
)

select
    study_id,
    day,
    stage,
    cast(participants as integer) as participants,
    cast(case when day = moved_on then entered else 0 end as integer) as entered,
    cast(case when day = moved_on then exited else 0 end as integer) as {{ adapter.quote('left') }}
from days
