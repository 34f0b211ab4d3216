with

changes as (
    select * from {{ ref('stg_changes') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

known_by_then as (
    select
        changes.*,
        statuses.status_rank,
        coalesce(prior_statuses.status_rank, 0) as prior_rank
    from changes
    inner join statuses
        on changes.status = statuses.status
    left join statuses as prior_statuses
        on changes.prior_status = prior_statuses.status
    where changes.occurred_at <= {{ as_of() }}
)

select * from known_by_then
