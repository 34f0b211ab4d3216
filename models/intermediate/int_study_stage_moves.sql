with

visits as (
    select * from {{ ref('int_stage_visits') }}
),

entries_and_exits as (
    select
        study_id,
        stage,
        {{ report_date('started_at') }} as moved_on,
        1 as entered,
        0 as exited
    from visits
    union all
    select
        study_id,
        stage,
        {{ report_date('ended_at') }} as moved_on,
        0 as entered,
        1 as exited
    from visits
    where not is_open
)

select
    study_id,
    stage,
    moved_on,
    sum(entered) as entered,
    sum(exited) as exited
from entries_and_exits
group by study_id, stage, moved_on
