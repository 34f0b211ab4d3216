{{ config(materialized='incremental') }}

with

changes as (
    select
        participant_key,
        person_key,
        study_key,
        sequence_number,
        status_rank,
        occurred_at
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
    where changes_state
),

studies as (
    select
        {{ id_key('study_id') }} as study_key,
        incentive_type,
        not incentives_enabled or incentive_type = 'external' as owes_nothing
    from {{ ref('stg_studies') }}
),

-- A participant has incentive states from the first change that owes, sends or settles an incentive.
first_incentives as (
    select
        changes.participant_key,
        min(changes.sequence_number) as sequence_number
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    where
        statuses.requires_state is null
        and statuses.incentive_status is not null
        and changes.study_key not in (
            select studies.study_key from studies
            where studies.owes_nothing
        )
    group by changes.participant_key
),

-- Most effects set the state outright. A bounce has a required state, and changes nothing in any other state.
incentive_effects as (
    select
        changes.*,
        statuses.requires_state,
        -- A custom incentive is settled when it is sent.
        case
            when not statuses.is_sent or coalesce(studies.incentive_type, '') <> 'custom' then statuses.backlog_state
        end as backlog_state,
        statuses.incentive_status,
        max(case when statuses.requires_state is null then changes.sequence_number end) over (
            partition by changes.participant_key order by changes.sequence_number rows unbounded preceding
        ) as state_set_by
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    inner join first_incentives
        on
            changes.participant_key = first_incentives.participant_key
            and changes.sequence_number >= first_incentives.sequence_number
    left join studies
        on changes.study_key = studies.study_key
),

effects_with_set_state as (
    select
        *,
        first_value(backlog_state) over since_set as set_state,
        first_value(incentive_status) over since_set as set_status
    from incentive_effects
    window since_set as (
        partition by participant_key, state_set_by order by sequence_number rows unbounded preceding
    )
),

states_after_effects as (
    select
        participant_key,
        person_key,
        study_key,
        sequence_number,
        occurred_at,
        coalesce(max(case when requires_state = set_state then backlog_state end) over since_set, set_state)
            as backlog_state,
        coalesce(max(case when requires_state = set_state then incentive_status end) over since_set, set_status)
            as incentive_status
    from effects_with_set_state
    window since_set as (
        partition by participant_key, state_set_by order by sequence_number rows unbounded preceding
    )
),

state_changes as (
    select
        *,
        lag(backlog_state) over history as previous_state,
        lag(incentive_status) over history as previous_status
    from states_after_effects
    window history as (partition by participant_key order by sequence_number)
    qualify
        previous_state is distinct from backlog_state
        or previous_status is distinct from incentive_status
)

select
    participant_key,
    person_key,
    study_key,
    sequence_number,
    backlog_state,
    incentive_status,
    occurred_at as began_at,
    lead(occurred_at) over (partition by participant_key order by sequence_number) as ended_at
from state_changes
