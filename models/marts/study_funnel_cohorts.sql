{%- set windows_of_days = [7, 14, 30, 90] %}
with

participants as (
    select * from {{ ref('int_participants') }}
),

funnel as (
    select * from {{ ref('study_funnel') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

-- A participant counts in a window of days only when that many days have passed since their first change.
matured_participants as (
    select
        study_key,
        cast({{ dbt.date_trunc('week', report_date('first_seen_at')) }} as date) as cohort_week,
        {%- for days in windows_of_days %}
            case when {{ days_between('first_seen_at', as_of()) }} >= {{ days }} then furthest_within_{{ days }}d end
                as furthest_within_{{ days }}d,
        {%- endfor %}
        furthest_step_order as furthest
    from participants
),

cohorts as (
    select
        study_key,
        cohort_week,
        {%- for days in windows_of_days %}
            furthest_within_{{ days }}d,
        {%- endfor %}
        furthest,
        count(*) as participants
    from matured_participants
    group by all
),

step_counts as (
    select
        funnel.study_id,
        cohorts.cohort_week,
        funnel.step,
        funnel.step_order,

        {%- for days in windows_of_days %}
            sum(case when cohorts.furthest_within_{{ days }}d >= funnel.step_order then participants else 0 end)
                as reached_within_{{ days }}d,
            sum(case when cohorts.furthest_within_{{ days }}d is not null then participants else 0 end)
                as matured_{{ days }}d,
        {%- endfor %}
        sum(case when cohorts.furthest >= funnel.step_order then participants else 0 end) as reached,
        sum(cohorts.participants) as participants
    from cohorts
    inner join studies
        on cohorts.study_key = studies.study_key
    inner join funnel
        on studies.study_id = funnel.study_id
    group by funnel.study_id, cohorts.cohort_week, funnel.step, funnel.step_order
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
from step_counts
