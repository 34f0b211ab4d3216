{#- A move has a usual range of times once it was timed this often. The range extends 1.5 interquartile ranges beyond
    the quartiles, on a logarithmic scale because some times are many times longer than others. -#}
{%- set min_timed, quartiles = 20, [0.25, 0.5, 0.75] -%}
{%- set factor = '(third_quartile / first_quartile) * sqrt(third_quartile / first_quartile)' -%}
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

move_counts as (
    select
        study_key,
        prior_rank,
        status_rank,
        count(*) as transitions,
        count(hours) as timed_transitions,
        {{ percentile('hours', 0.25, quartiles) }} as first_quartile,
        {{ percentile('hours', 0.5, quartiles) }} as median_hours,
        {{ percentile('hours', 0.75, quartiles) }} as third_quartile
    from moves
    group by study_key, prior_rank, status_rank
),

usual_ranges as (
    select
        study_key,
        prior_rank,
        status_rank,
        first_quartile / ({{ factor }}) as usual_from_hours,
        third_quartile * {{ factor }} as usual_to_hours
    from move_counts
    where timed_transitions >= {{ min_timed }} and first_quartile > 0
),

outliers as (
    select
        usual_ranges.study_key,
        usual_ranges.prior_rank,
        usual_ranges.status_rank,
        usual_ranges.usual_from_hours,
        usual_ranges.usual_to_hours,
        count(case when moves.hours < usual_ranges.usual_from_hours then 1 end) as unusually_fast,
        count(case when moves.hours > usual_ranges.usual_to_hours then 1 end) as unusually_slow
    from usual_ranges
    inner join moves
        on
            usual_ranges.study_key = moves.study_key
            and usual_ranges.prior_rank = moves.prior_rank
            and usual_ranges.status_rank = moves.status_rank
    group by
        usual_ranges.study_key,
        usual_ranges.prior_rank,
        usual_ranges.status_rank,
        usual_ranges.usual_from_hours,
        usual_ranges.usual_to_hours
)

select
    studies.study_id,
    studies.study_type,
    prior_statuses.status as from_status,
    statuses.status as to_status,

    expected_moves.study_type is not null as is_expected,
    cast(move_counts.transitions as integer) as transitions,
    cast(move_counts.timed_transitions as integer) as timed_transitions,
    move_counts.median_hours,
    outliers.usual_from_hours,
    outliers.usual_to_hours,
    cast(outliers.unusually_fast as integer) as unusually_fast,
    cast(outliers.unusually_slow as integer) as unusually_slow
from move_counts
inner join studies
    on move_counts.study_key = studies.study_key
inner join statuses
    on move_counts.status_rank = statuses.status_rank
left join statuses as prior_statuses
    on move_counts.prior_rank = prior_statuses.status_rank
left join expected_moves
    on
        studies.study_type = expected_moves.study_type
        and move_counts.prior_rank = expected_moves.prior_rank
        and move_counts.status_rank = expected_moves.status_rank
left join outliers
    on
        move_counts.study_key = outliers.study_key
        and move_counts.prior_rank = outliers.prior_rank
        and move_counts.status_rank = outliers.status_rank
