with

durations as (
    select * from {{ ref('int_status_durations') }}
)

select
    study_id,
    status,

    participants,
    visits,
    completed_visits,
    open_visits,

    median_hours,
    p90_hours,
    max_hours,
    median_hours_per_participant,
    {{ hours_between('oldest_open_since', as_of()) }} as oldest_open_hours
from durations
