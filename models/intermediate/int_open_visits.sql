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

lasting as (
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

completed as (
    select
        studies.study_type,
        completed_visits.stage_order,
        completed_visits.completed_hours as hours
    from completed_visits
    inner join studies
        on completed_visits.study_key = studies.study_key
),

-- Whole minutes are counted first, and visits one by one only within a minute, so that millions need no sorting.
by_minute as (
    select
        study_type,
        stage_order,
        floor(hours * 60) as minutes,
        count(*) as completed
    from completed
    group by study_type, stage_order, floor(hours * 60)
    union all
    select distinct
        study_type,
        stage_order,
        floor(hours * 60) as minutes,
        0 as completed
    from lasting
),

summed as (
    select
        study_type,
        stage_order,
        minutes,
        sum(completed) as completed,
        sum(sum(completed)) over (partition by study_type, stage_order order by minutes rows unbounded preceding)
            as completed_up_to_it,
        sum(sum(completed)) over (partition by study_type, stage_order) as completed_in_all
    from by_minute
    group by study_type, stage_order, minutes
),

within_the_minute as (
    select
        lasting.participant_key,
        count(*) as completed
    from lasting
    inner join completed
        on
            lasting.study_type = completed.study_type
            and lasting.stage_order = completed.stage_order
            and floor(lasting.hours * 60) = floor(completed.hours * 60)
            and lasting.hours >= completed.hours
    group by lasting.participant_key
)

select
    lasting.participant_key,
    lasting.study_type,
    lasting.stage_order,
    lasting.started_at,
    lasting.hours,
    {{ ratio(
        '(summed.completed_up_to_it - summed.completed + coalesce(within_the_minute.completed, 0))',
        'summed.completed_in_all'
    ) }} as percentile
from lasting
inner join summed
    on
        lasting.study_type = summed.study_type
        and lasting.stage_order = summed.stage_order
        and floor(lasting.hours * 60) = summed.minutes
left join within_the_minute
    on lasting.participant_key = within_the_minute.participant_key
