{{ config(materialized='view') }}

with

participants as (
    select
        participant_key,
        study_key,
        stage_order
    from {{ ref('int_participants') }}
    where not is_terminal
),

open_visits as (
    select
        participant_key,
        started_at
    from {{ ref('int_stage_visits') }}
    where is_open
),

completed_visits as (
    select
        study_key,
        stage_order,
        completed_hours
    from {{ ref('int_stage_visits') }}
    where not is_open
),

studies as (
    select * from {{ ref('int_studies') }}
),

open_visits_with_age as (
    select
        participants.*,
        studies.study_type,
        open_visits.started_at,
        {{ hours_between('open_visits.started_at', as_of()) }} as hours
    from participants
    inner join open_visits
        on participants.participant_key = open_visits.participant_key
    inner join studies
        on participants.study_key = studies.study_key
),

completed_visits_by_type as (
    select
        studies.study_type,
        completed_visits.stage_order,
        completed_visits.completed_hours as hours
    from completed_visits
    inner join studies
        on completed_visits.study_key = studies.study_key
),

-- Counting completed visits per minute of duration avoids a sort of millions of visits.
visits_per_minute as (
    select
        study_type,
        stage_order,
        floor(hours * 60) as minutes,
        count(*) as completed
    from completed_visits_by_type
    group by study_type, stage_order, floor(hours * 60)
    union all
    select distinct
        study_type,
        stage_order,
        floor(hours * 60) as minutes,
        0 as completed
    from open_visits_with_age
),

running_counts as (
    select
        study_type,
        stage_order,
        minutes,
        sum(sum(completed)) over (partition by study_type, stage_order order by minutes rows unbounded preceding)
        - sum(completed) as completed_in_fewer_minutes,
        sum(sum(completed)) over (partition by study_type, stage_order) as completed
    from visits_per_minute
    group by study_type, stage_order, minutes
),

-- Only visits that lasted the same number of whole minutes are compared one by one.
counts_within_the_minute as (
    select
        open_visits_with_age.participant_key,
        count(*) as completed
    from open_visits_with_age
    inner join completed_visits_by_type as completed
        on
            open_visits_with_age.study_type = completed.study_type
            and open_visits_with_age.stage_order = completed.stage_order
            and floor(open_visits_with_age.hours * 60) = floor(completed.hours * 60)
            and open_visits_with_age.hours >= completed.hours
    group by open_visits_with_age.participant_key
)

select
    open_visits_with_age.participant_key,
    open_visits_with_age.study_type,
    open_visits_with_age.stage_order,
    open_visits_with_age.started_at,
    open_visits_with_age.hours,
    {{ ratio(
        '(running_counts.completed_in_fewer_minutes + coalesce(counts_within_the_minute.completed, 0))',
        'running_counts.completed'
    ) }} as percentile
from open_visits_with_age
inner join running_counts
    on
        open_visits_with_age.study_type = running_counts.study_type
        and open_visits_with_age.stage_order = running_counts.stage_order
        and floor(open_visits_with_age.hours * 60) = running_counts.minutes
left join counts_within_the_minute
    on open_visits_with_age.participant_key = counts_within_the_minute.participant_key
