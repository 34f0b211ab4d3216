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
    left join statuses as prior_statuses
        on changes.prior_status = prior_statuses.status
    where
        statuses.dashboard_series is not null
        and not changes.is_inferred
        -- one screener, although it is completed first and judged later
        and not (
            statuses.dashboard_series = 'screeners_completed'
            and coalesce(prior_statuses.dashboard_series, '') = statuses.dashboard_series
            and changes.status <> changes.prior_status
        )
)

select
    day,
    study_id,
    activity,
    cast(count(*) as integer) as changes
from dated
group by day, study_id, activity
