-- A participant's incentive states follow one another without overlaps or holes, and no state comes twice in a row.
-- Why: the backlog of any day is computed from them. Overlapping states would count an incentive twice, two
-- equal states in a row would restart its age, and a hole would drop it from the backlog.
-- Remedy: The table differs from what the models compute from the loaded lines. Build it again: studyflow build
-- Key: participant_id, sequence_number
-- Rules of marts.incentive_states:
--   ends_elsewhere: ended_at is the next state's began_at (backlog_state, ended_at, next_began_at)
--   ends_before_it_begins: ended_at is not before began_at (backlog_state, began_at, ended_at)
--   repeats_itself: the next state is a different one (backlog_state, incentive_status, began_at)
with

states as (
    select * from {{ ref('incentive_states') }}
),

neighbours as (
    select
        *,
        lead(sequence_number) over in_order as next_number,
        lead(began_at) over in_order as next_began_at,
        lead(backlog_state) over in_order as next_state,
        lead(incentive_status) over in_order as next_incentive_status
    from states
    window in_order as (partition by {{ id_key('participant_id') }} order by sequence_number)
),

judged as (
    select
        *,
        (ended_at is distinct from next_began_at) as ends_elsewhere,
        ended_at < began_at as ends_before_it_begins,
        (
            next_number is not null
            and backlog_state is not distinct from next_state
            and incentive_status is not distinct from next_incentive_status
        ) as repeats_itself
    from neighbours
)

select
    participant_id,
    sequence_number,
    backlog_state,
    incentive_status,
    began_at,
    ended_at,
    next_began_at,
    ends_elsewhere,
    ends_before_it_begins,
    repeats_itself
from judged
where ends_elsewhere or ends_before_it_begins or repeats_itself
