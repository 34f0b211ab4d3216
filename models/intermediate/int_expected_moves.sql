with

statuses as (
    select * from {{ ref('stg_statuses') }}
),

-- Moves from a status that the reference table no longer has are left out.
moves as (
    select
        moves.study_type,
        cast(coalesce(prior_statuses.status_rank, 0) as smallint) as prior_rank,
        statuses.status_rank
    from {{ ref('expected_moves') }} as moves
    inner join statuses
        on moves.to_status = statuses.status
    left join statuses as prior_statuses
        on moves.from_status = prior_statuses.status
    where moves.from_status is null or prior_statuses.status is not null
),

studies as (
    select * from {{ ref('int_studies') }}
),

activities as (
    select distinct activity from statuses
    where activity is not null
),

moves_of_one_activity as (
    select
        activities.activity as study_type,
        moves.prior_rank,
        moves.status_rank
    from moves
    inner join activities
        on moves.study_type in ('any', activities.activity)
),

-- Mixed studies and studies without a known activity expect the moves of all activities.
other_study_types as (
    select distinct studies.study_type
    from studies
    left join activities
        on studies.study_type = activities.activity
    where activities.activity is null
)

select * from moves_of_one_activity
union
select
    other_study_types.study_type,
    moves.prior_rank,
    moves.status_rank
from other_study_types
cross join moves
