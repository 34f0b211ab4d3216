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

activities as (
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
        -- The verdict on a completed screener does not count as another completed screener.
        and not (
            statuses.dashboard_series = 'screeners_completed'
            and coalesce(prior_statuses.dashboard_series, '') = statuses.dashboard_series
            and changes.status_rank <> changes.prior_rank
        )
),

daily_counts as (
    select
        day,
        study_key,
        activity,
        count(*) as changes
    from activities
    group by day, study_key, activity
)

select
    daily_counts.day,
    studies.study_id,
    daily_counts.activity,
    cast(daily_counts.changes as integer) as changes
from daily_counts
inner join studies
    on daily_counts.study_key = studies.study_key
