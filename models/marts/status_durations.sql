with

durations as (
    {{ visit_durations(ref('int_status_visits'), 'status_rank') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
)

select
    studies.study_id,
    statuses.status,

    durations.participants,
    durations.visits,
    durations.completed_visits,
    durations.open_visits,

    durations.median_hours,
    durations.p90_hours,
    durations.max_hours,
    durations.median_hours_per_participant,
    durations.oldest_open_hours
from durations
inner join studies
    on durations.study_key = studies.study_key
inner join statuses
    on durations.status_rank = statuses.status_rank
