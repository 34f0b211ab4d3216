{%- set windows_of_days = [7, 14, 30, 90] %}
with

participant_steps as (
    select * from {{ ref('int_participant_steps') }}
),

participants as (
    select * from {{ ref('participants') }}
),

study_steps as (
    select * from {{ ref('int_study_steps') }}
),

-- How far each has come, in all and within so many days; null for those who have not had so many days yet.
distances as (
    select
        participants.study_id,
        participants.participant_id,
        participants.first_seen_at,
        {%- for days in windows_of_days %}
            max(
                case
                    when
                        {{ days_between('participants.first_seen_at', as_of()) }} >= {{ days }}
                        and {{ days_between('participants.first_seen_at', 'participant_steps.first_at') }} <= {{ days }}
                        then participant_steps.step_order
                end
            ) as furthest_within_{{ days }}d,
        {%- endfor %}
        max(participant_steps.step_order) as furthest
    from participants
    inner join participant_steps
        on participants.participant_id = participant_steps.participant_id
    group by participants.study_id, participants.participant_id, participants.first_seen_at
),

cohorts as (
    select
        study_id,
        cast({{ dbt.date_trunc('week', report_date('first_seen_at')) }} as date) as cohort_week,
        {%- for days in windows_of_days %}
            furthest_within_{{ days }}d,
        {%- endfor %}
        furthest,
        count(*) as participants
    from distances
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
