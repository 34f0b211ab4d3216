with

durations as (
    {{ visit_durations(ref('int_stage_visits'), 'stage_order') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

stages as (
    select * from {{ ref('stages') }}
)

select
    studies.study_id,
    stages.stage,

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
inner join stages
    on durations.stage_order = stages.stage_order
