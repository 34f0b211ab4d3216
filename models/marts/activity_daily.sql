with

changes as (
    select * from {{ ref('status_changes') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

dated as (
    select
        {{ report_date('changes.occurred_at') }} as day,
        changes.study_id,
        statuses.dashboard_series as activity
    from changes
    inner join statuses
        on changes.status = statuses.status
    where statuses.dashboard_series is not null and not changes.is_inferred
)

select
    day,
    study_id,
    activity,
    cast(count(*) as integer) as changes
from dated
group by day, study_id, activity
