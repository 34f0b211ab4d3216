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

-- Only people to whom something was owed, sent or settled have a state, from then on.
concerned as (
    select
        changes.participant_key,
        min(changes.sequence_number) as first_number
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

effects as (
    select
        changes.*,
        statuses.requires_state,
        case
            when not statuses.is_sent or coalesce(studies.incentive_type, '') <> 'custom' then statuses.backlog_state
        end as backlog_state,
        statuses.incentive_status,
        max(case when statuses.requires_state is null then changes.sequence_number end) over (
            partition by changes.participant_key order by changes.sequence_number rows unbounded preceding
        ) as decided_by
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    inner join concerned
        on
            changes.participant_key = concerned.participant_key
            and changes.sequence_number >= concerned.first_number
    left join studies
        on changes.study_key = studies.study_key
),

-- What the last unconditional effect made of it; a bounce takes hold only on the state that it requires.
decided as (
    select
        *,
        first_value(backlog_state) over since_then as decided_state,
        first_value(incentive_status) over since_then as decided_status
    from effects
    window since_then as (
        partition by participant_key, decided_by order by sequence_number rows unbounded preceding
    )
),

states as (
    select
        participant_key,
        person_key,
        study_key,
        sequence_number,
        occurred_at,
        coalesce(max(case when requires_state = decided_state then backlog_state end) over since_then, decided_state)
            as backlog_state,
        coalesce(
            max(case when requires_state = decided_state then incentive_status end) over since_then, decided_status
        ) as incentive_status
    from decided
    window since_then as (
        partition by participant_key, decided_by order by sequence_number rows unbounded preceding
    )
),

beginnings as (
    select
        *,
        lag(backlog_state) over in_order as state_before,
        lag(incentive_status) over in_order as incentive_status_before
    from states
    window in_order as (partition by participant_key order by sequence_number)
    qualify
        state_before is distinct from backlog_state
        or incentive_status_before is distinct from incentive_status
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
from beginnings
