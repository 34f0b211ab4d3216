{#- What is usual for a move is known from so many that were timed. It ends one and a half quartile ranges beyond the
    quartiles, on a logarithmic scale, because times are many times longer as often as they are many times shorter. -#}
{%- set fewest_timed = 20 -%}
{%- set reach = '(third_quartile / first_quartile) * sqrt(third_quartile / first_quartile)' -%}
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
        {{ percentile('hours', 0.25) }} as first_quartile,
        {{ percentile('hours', 0.5) }} as median_hours,
        {{ percentile('hours', 0.75) }} as third_quartile
    from moves
    group by study_key, prior_rank, status_rank
),

usual as (
    select
        study_key,
        prior_rank,
        status_rank,
        first_quartile / ({{ reach }}) as usual_from_hours,
        third_quartile * {{ reach }} as usual_to_hours
    from counted
    where timed_transitions >= {{ fewest_timed }} and first_quartile > 0
),

outliers as (
    select
        usual.study_key,
        usual.prior_rank,
        usual.status_rank,
        usual.usual_from_hours,
        usual.usual_to_hours,
        count(case when moves.hours < usual.usual_from_hours then 1 end) as unusually_fast,
        count(case when moves.hours > usual.usual_to_hours then 1 end) as unusually_slow
    from usual
    inner join moves
        on
            usual.study_key = moves.study_key
            and usual.prior_rank = moves.prior_rank
            and usual.status_rank = moves.status_rank
    group by usual.study_key, usual.prior_rank, usual.status_rank, usual.usual_from_hours, usual.usual_to_hours
)

select
    studies.study_id,
    studies.study_type,
    prior_statuses.status as from_status,
    statuses.status as to_status,

    expected_moves.study_type is not null as is_expected,
    cast(counted.transitions as integer) as transitions,
    cast(counted.timed_transitions as integer) as timed_transitions,
    counted.median_hours,
    outliers.usual_from_hours,
    outliers.usual_to_hours,
    cast(outliers.unusually_fast as integer) as unusually_fast,
    cast(outliers.unusually_slow as integer) as unusually_slow
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
left join outliers
    on
        counted.study_key = outliers.study_key
        and counted.prior_rank = outliers.prior_rank
        and counted.status_rank = outliers.status_rank
