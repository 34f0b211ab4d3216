with

changes as (
    select * from {{ ref('int_status_changes') }}
    where not is_inferred
),

studies as (
    select * from {{ ref('int_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

expected_moves as (
    select * from {{ ref('int_expected_moves') }}
),

moves as (
    select
        study_key,
        prior_rank,
        status_rank,
        case when not follows_gap then {{ hours_between('occurred_before', 'occurred_at') }} end as hours
    from changes
),

counted as (
    select
        study_key,
        prior_rank,
        status_rank,
        count(*) as transitions,
        count(hours) as timed_transitions,
        {{ percentile('hours', 0.5) }} as median_hours
    from moves
    group by study_key, prior_rank, status_rank
)

select
    studies.study_id,
    studies.study_type,
    prior_statuses.status as from_status,
    statuses.status as to_status,

    expected_moves.study_type is not null as is_expected,
    cast(counted.transitions as integer) as transitions,
    cast(counted.timed_transitions as integer) as timed_transitions,
    counted.median_hours
from counted
inner join studies
    on counted.study_key = studies.study_key
inner join statuses
    on counted.status_rank = statuses.status_rank
left join statuses as prior_statuses
    on counted.prior_rank = prior_statuses.status_rank
left join expected_moves
    on
        studies.study_type = expected_moves.study_type
        and counted.prior_rank = expected_moves.prior_rank
        and counted.status_rank = expected_moves.status_rank
