-- Why: participants sums up status_changes and audit.gaps, and people compare the three. Each participant must be there
-- once, in the status of the current change, with times inside the history and every gap counted.
with

participants as (
    select * from {{ ref('participants') }}
),

current_changes as (
    select * from {{ ref('status_changes') }}
    where is_current
),

gaps_by_participant as (
    select
        participant_id,
        count(*) as gaps
    from {{ ref('gaps') }}
    group by participant_id
)

select
    current_changes.participant_id,
    participants.participant_id as listed_participant_id,
    participants.current_status,
    participants.status_since,
    participants.missing_changes
from current_changes
full outer join participants
    on current_changes.participant_id = participants.participant_id
left join gaps_by_participant
    on participants.participant_id = gaps_by_participant.participant_id
where
    current_changes.participant_id is null
    or participants.participant_id is null
    or participants.current_status <> current_changes.status
    or participants.current_stage <> current_changes.stage
    or participants.study_id <> current_changes.study_id
    or participants.last_changed_at <> current_changes.occurred_at
    or participants.status_since not between participants.first_seen_at and participants.last_changed_at
    or participants.status_changes < 1
    or participants.missing_changes <> coalesce(gaps_by_participant.gaps, 0)
