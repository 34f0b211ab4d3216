{%- set windows_of_days = [7, 14, 30, 90] %}
with

distances as (
    select * from {{ ref('int_participant_distances') }}
),

study_steps as (
    select * from {{ ref('int_study_steps') }}
),

-- Who has not had so many days yet does not count as one who did not come that far in them.
matured as (
    select
        study_id,
        cohort_week,
        {%- for days in windows_of_days %}
            case when {{ days_between('first_seen_at', as_of()) }} >= {{ days }} then furthest_within_{{ days }}d end
                as furthest_within_{{ days }}d,
        {%- endfor %}
        furthest
    from distances
),

cohorts as (
    select
        study_id,
        cohort_week,
        {%- for days in windows_of_days %}
            furthest_within_{{ days }}d,
        {%- endfor %}
        furthest,
        count(*) as participants
    from matured
    group by all
),

counts as (
    select
        cohorts.study_id,
        cohorts.cohort_week,
        study_steps.step,
        study_steps.step_order,

        {%- for days in windows_of_days %}
            sum(case when cohorts.furthest_within_{{ days }}d >= study_steps.step_order then participants else 0 end)
                as reached_within_{{ days }}d,
            sum(case when cohorts.furthest_within_{{ days }}d is not null then participants else 0 end)
                as matured_{{ days }}d,
        {%- endfor %}
        sum(case when cohorts.furthest >= study_steps.step_order then participants else 0 end) as reached,
        sum(cohorts.participants) as participants
    from cohorts
    inner join study_steps
        on cohorts.study_id = study_steps.study_id
    group by cohorts.study_id, cohorts.cohort_week, study_steps.step, study_steps.step_order
)

select
    study_id,
    cohort_week,
    step,
    step_order,

    cast(participants as integer) as participants,
    cast(reached as integer) as reached,
    cast(reached_within_7d as integer) as reached_within_7d,
    cast(matured_7d as integer) as matured_7d,
    cast(reached_within_14d as integer) as reached_within_14d,
    cast(matured_14d as integer) as matured_14d,
    cast(reached_within_30d as integer) as reached_within_30d,
    cast(matured_30d as integer) as matured_30d,
    cast(reached_within_90d as integer) as reached_within_90d,
    cast(matured_90d as integer) as matured_90d
from counts
