{{ config(materialized='incremental') }}
{%- set windows_of_days = [7, 14, 30, 90] %}

with

changes as (
    select * from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

open_status_visits as (
    select
        participant_key,
        started_at
    from {{ touched_rows_of(ref('int_status_visits'), ref('stg_touched_participants')) }}
    where is_open
),

participant_steps as (
    select * from {{ touched_rows_of(ref('int_participant_steps'), ref('stg_touched_participants')) }}
),

open_incentives as (
    select
        participant_key,
        incentive_status
    from {{ touched_rows_of(ref('int_incentive_states'), ref('stg_touched_participants')) }}
    where ended_at is null
),

identities as (
    select * from {{ touched_rows_of(ref('stg_identities'), ref('stg_touched_participants')) }}
),

stages as (
    select * from {{ ref('stages') }}
),

histories as (
    select
        changes.participant_key,
        changes.person_key,
        changes.study_key,
        max(case when changes.is_current then changes.status_rank end) as status_rank,
        max(case when changes.is_current then changes.stage_order end) as stage_order,
        min(changes.occurred_at) as first_seen_at,
        max(changes.occurred_at) as last_changed_at,
        count(case when not changes.is_inferred then 1 end) as status_changes,
        count(case when changes.follows_gap then 1 end) as missing_changes
    from changes
    group by changes.participant_key, changes.person_key, changes.study_key
),

-- The furthest step of a participant: within some days of the first change, and overall.
furthest_steps as (
    select
        participant_key,
        {%- for days in windows_of_days %}
            max(
                case
                    when {{ days_between('first_seen_at', 'first_at') }} <= {{ days }} then step_order
                end
            ) as furthest_within_{{ days }}d,
        {%- endfor %}
        max(step_order) as furthest_step_order
    from participant_steps
    group by participant_key
)

select
    histories.participant_key,
    histories.person_key,
    histories.study_key,
    identities.participant_id,
    identities.person_id,
    identities.study_id,

    histories.status_rank,
    histories.stage_order,
    coalesce(stages.is_terminal, false) as is_terminal,
    open_status_visits.started_at as status_since,
    histories.first_seen_at,
    histories.last_changed_at,

    furthest_steps.furthest_step_order,
    {%- for days in windows_of_days %}
        furthest_steps.furthest_within_{{ days }}d,
    {%- endfor %}
    open_incentives.incentive_status,

    cast(histories.status_changes as integer) as status_changes,
    cast(histories.missing_changes as integer) as missing_changes
from histories
inner join identities
    on
        histories.participant_key = identities.participant_key
        and histories.person_key = identities.person_key
        and histories.study_key = identities.study_key
inner join open_status_visits
    on histories.participant_key = open_status_visits.participant_key
inner join furthest_steps
    on histories.participant_key = furthest_steps.participant_key
left join stages
    on histories.stage_order = stages.stage_order
left join open_incentives
    on histories.participant_key = open_incentives.participant_key
