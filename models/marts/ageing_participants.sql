with

participants as (
    select * from {{ ref('participants') }}
    where not is_terminal
),

visits as (
    select * from {{ ref('int_stage_visits') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

stages as (
    select * from {{ ref('stages') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

visits_of_type as (
    select
        visits.participant_id,
        studies.study_type,
        visits.stage,
        visits.started_at,
        visits.is_open,
        coalesce(visits.completed_hours, {{ hours_between('visits.started_at', as_of()) }}) as hours
    from visits
    inner join studies
        on visits.study_id = studies.study_id
    inner join stages
        on visits.stage = stages.stage
    where not coalesce(stages.is_terminal, false)
),

-- Whole minutes are counted first, and visits one by one only within a minute, so that millions need no sorting.
timed as (
    select
        *,
        floor(hours * 60) as minutes
    from visits_of_type
),

by_minute as (
    select
        study_type,
        stage,
        minutes,
        sum(case when is_open then 0 else 1 end) as completed
    from timed
    group by study_type, stage, minutes
),

summed as (
    select
        *,
        sum(completed) over (partition by study_type, stage order by minutes rows unbounded preceding) - completed
            as completed_before,
        sum(completed) over (partition by study_type, stage) as completed_in_all
    from by_minute
),

no_longer_within_the_minute as (
    select
        open_visits.participant_id,
        count(*) as completed
    from timed as open_visits
    inner join timed as completed_visits
        on
            open_visits.study_type = completed_visits.study_type
            and open_visits.stage = completed_visits.stage
            and open_visits.minutes = completed_visits.minutes
            and open_visits.hours >= completed_visits.hours
    where open_visits.is_open and not completed_visits.is_open
    group by open_visits.participant_id
),

aged as (
    select
        timed.participant_id,
        timed.started_at,
        timed.hours,
        {{ ratio(
            '(summed.completed_before + coalesce(no_longer_within_the_minute.completed, 0))', 'summed.completed_in_all'
        ) }} as percentile
    from timed
    inner join summed
        on
            timed.study_type = summed.study_type
            and timed.stage = summed.stage
            and timed.minutes = summed.minutes
    left join no_longer_within_the_minute
        on timed.participant_id = no_longer_within_the_minute.participant_id
    where timed.is_open
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    participants.study_type,

    participants.current_stage,
    participants.current_status,
    participants.current_status_label,
    aged.started_at as stage_since,
    aged.hours as hours_in_stage,

    aged.percentile,
    coalesce(aged.percentile > 0.9, false) as is_stalled,
    statuses.is_moved_by_hand as is_to_be_moved_by_hand
from participants
inner join aged
    on participants.participant_id = aged.participant_id
inner join statuses
    on participants.current_status = statuses.status
