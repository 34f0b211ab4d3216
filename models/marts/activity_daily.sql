with

changes as (
    select
        study_key,
        prior_rank,
        status_rank,
        occurred_on
    from {{ ref('int_status_changes') }}
    where not is_inferred
),

studies as (
    select * from {{ ref('int_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

dated as (
    select
        changes.occurred_on as day,
        changes.study_key,
        statuses.dashboard_series as activity
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    left join statuses as prior_statuses
        on changes.prior_rank = prior_statuses.status_rank
    where
        statuses.dashboard_series is not null
        -- one screener, although it is completed first and judged later
        and not (
            statuses.dashboard_series = 'screeners_completed'
            and coalesce(prior_statuses.dashboard_series, '') = statuses.dashboard_series
            and changes.status_rank <> changes.prior_rank
        )
),

counted as (
    select
        day,
        study_key,
        activity,
        count(*) as changes
    from dated
    group by day, study_key, activity
)

select
    counted.day,
    studies.study_id,
    counted.activity,
    cast(counted.changes as integer) as changes
from counted
inner join studies
    on counted.study_key = studies.study_key
