{{ config(materialized='view') }}

with

moments as (
    {{ moments() }}
),

terminal_stays as (
    select
        visits.participant_key,
        visits.started_at,
        visits.ended_at
    from {{ ref('int_stage_visits') }} as visits
    inner join {{ ref('stages') }} as stages
        on visits.stage_order = stages.stage_order
    where stages.is_terminal
),

-- `known_at`: when the history first shows that they completed, by an inferred change or by a later step.
states_then as (
    select
        moments.moment,
        moments.is_as_of,
        participations.participant_key,
        participations.study_key,
        participations.first_invited_at,
        case
            when participations.completion_reached_at <= moments.moment then participations.completion_reached_at
        end as known_at,
        case
            when participations.completion_delivered_at <= moments.moment then participations.completion_delivered_at
        end as completed_at,
        terminal_stays.started_at as terminal_at
    from {{ ref('int_participations') }} as participations
    cross join moments
    left join terminal_stays
        on
            participations.participant_key = terminal_stays.participant_key
            and moments.moment >= terminal_stays.started_at
            and coalesce(moments.moment < terminal_stays.ended_at, true)
),

-- Step 0 stands for the invitation, to whatever it was.
spell_starts as (
    select
        states_then.*,
        cast(0 as smallint) as step_order,
        states_then.first_invited_at as started_at
    from states_then
    where states_then.first_invited_at <= states_then.moment
    union all
    select
        states_then.*,
        steps.step_order,
        steps.first_delivered_at as started_at
    from states_then
    inner join {{ ref('int_participant_steps') }} as steps
        on states_then.participant_key = steps.participant_key and states_then.moment >= steps.first_delivered_at
    where states_then.is_as_of and steps.step_order < {{ completing_step() }}
),

-- People who had completed before have no spell. Nor has a step if the same change shows that they were lost.
spell_ends as (
    select
        *,
        case
            when completed_at is not null then 'completed'
            when known_at is not null then 'unseen'
            when terminal_at is not null then 'lost'
            else 'active'
        end as outcome,
        coalesce(
            completed_at, known_at, case when terminal_at < started_at then started_at else terminal_at end, moment
        ) as ended_at
    from spell_starts
    where known_at >= started_at or (known_at is null and (step_order = 0 or coalesce(terminal_at > started_at, true)))
),

spells as (
    select
        *,
        {{ begun_hours_between('started_at', 'ended_at') }} as begun_hours
    from spell_ends
)

-- A spell is as long as the days that it began, or for the first three days after an invitation, the hours.
select
    moment,
    participant_key,
    study_key,
    step_order,
    started_at,
    ended_at,
    outcome,
    case
        when step_order = 0 and begun_hours <= 72 then begun_hours
        else 24 * cast(ceil(begun_hours / 24e0) as integer)
    end as hours
from spells
