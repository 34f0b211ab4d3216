{%- set windows_of_days = [7, 14, 30, 90] -%}
{{ config(materialized='incremental') }}

with

participant_steps as (
    select * from {{ touched_rows_of(ref('int_participant_steps'), ref('int_touched_participants')) }}
),

participants as (
    select * from {{ touched_rows_of(ref('participants'), ref('int_touched_participants')) }}
)

select
    participants.participant_id,
    participants.study_id,
    participants.first_seen_at,
    cast({{ dbt.date_trunc('week', report_date('participants.first_seen_at')) }} as date) as cohort_week,
    {%- for days in windows_of_days %}
        max(
            case
                when {{ days_between('participants.first_seen_at', 'participant_steps.first_at') }} <= {{ days }}
                    then participant_steps.step_order
            end
        ) as furthest_within_{{ days }}d,
    {%- endfor %}
    max(participant_steps.step_order) as furthest
from participants
inner join participant_steps
    on participants.participant_id = participant_steps.participant_id
group by participants.participant_id, participants.study_id, participants.first_seen_at
