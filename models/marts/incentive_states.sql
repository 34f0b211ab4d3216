{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('status_changes'), ref('int_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

-- Only people to whom something was owed, sent or settled have a state, from then on.
concerned as (
    select
        decisive_changes.participant_id,
        min(decisive_changes.sequence_number) as first_number
    from {{ touched_rows_of(ref('status_changes'), ref('int_touched_participants')) }} as decisive_changes
    inner join statuses
        on decisive_changes.status = statuses.status
    inner join studies
        on decisive_changes.study_id = studies.study_id
    where
        studies.incentives_enabled
        and statuses.requires_state is null
        and statuses.incentive_status is not null
    group by decisive_changes.participant_id
),

effects as (
    select
        changes.participant_id,
        changes.person_id,
        changes.study_id,
        changes.sequence_number,
        changes.occurred_at,
        statuses.requires_state,
        statuses.backlog_state,
        statuses.incentive_status,
        max(case when statuses.requires_state is null then changes.sequence_number end) over (
            partition by changes.participant_id order by changes.sequence_number rows unbounded preceding
        ) as decided_by
    from changes
    inner join statuses
        on changes.status = statuses.status
    inner join concerned
        on
            changes.participant_id = concerned.participant_id
            and changes.sequence_number >= concerned.first_number
    where statuses.changes_state
),

-- What the last unconditional effect made of it; a bounce takes hold only on the state that it requires.
decided as (
    select
        *,
        first_value(backlog_state) over since_decision as decided_state,
        first_value(incentive_status) over since_decision as decided_status
    from effects
    window since_decision as (
        partition by participant_id, decided_by order by sequence_number rows unbounded preceding
    )
),

settled as (
    select
        *,
        max(case when requires_state = decided_state then backlog_state end) over since_decision as overriding_state,
        max(case when requires_state = decided_state then incentive_status end) over since_decision
            as overriding_status
    from decided
    window since_decision as (
        partition by participant_id, decided_by order by sequence_number rows unbounded preceding
    )
),

states as (
    select
        participant_id,
        person_id,
        study_id,
        sequence_number,
        occurred_at,
        coalesce(overriding_state, decided_state) as backlog_state,
        coalesce(overriding_status, decided_status) as incentive_status
    from settled
),

beginnings as (
    select
        *,
        lag(backlog_state) over in_order as state_before,
        lag(incentive_status) over in_order as incentive_status_before
    from states
    window in_order as (partition by participant_id order by sequence_number)
    qualify
        state_before is distinct from backlog_state
        or incentive_status_before is distinct from incentive_status
)

select
    participant_id,
    person_id,
    study_id,
    sequence_number,
    backlog_state,
    incentive_status,
    occurred_at as began_at,
    lead(occurred_at) over (partition by participant_id order by sequence_number) as ended_at
from beginnings
