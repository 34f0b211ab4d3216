with

changes as (
    select * from {{ ref('int_linked_changes') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

expected_moves as (
    select * from {{ ref('int_expected_moves') }}
),

moves as (
    select
        study_id,
        prior_status as from_status,
        status as to_status,
        case when not follows_gap then {{ hours_between('occurred_before', 'occurred_at') }} end as hours
    from changes
),

counted as (
    select
        study_id,
        from_status,
        to_status,
        count(*) as transitions,
        count(hours) as timed_transitions,
        median(hours) as median_hours
    from moves
    group by study_id, from_status, to_status
)

select
    counted.study_id,
    studies.study_type,
    counted.from_status,
    counted.to_status,

    expected_moves.to_status is not null as is_expected,
    cast(counted.transitions as integer) as transitions,
    cast(counted.timed_transitions as integer) as timed_transitions,
    counted.median_hours
from counted
inner join studies
    on counted.study_id = studies.study_id
left join expected_moves
    on
        studies.study_type = expected_moves.study_type
        and counted.from_status is not distinct from expected_moves.from_status
        and counted.to_status = expected_moves.to_status
