-- Why: the backlog of any day is read from these spans. Two that overlap owe an incentive twice, two alike in a row
-- restart the age of a debt, and a hole forgets it.
with

states as (
    select * from {{ ref('incentive_states') }}
),

neighbours as (
    select
        *,
        lead(began_at) over in_order as next_began_at,
        lead(sequence_number) over in_order as next_number,
        lead(coalesce(backlog_state, '')) over in_order as next_state,
        lead(coalesce(incentive_status, '')) over in_order as next_incentive_status
    from states
    window in_order as (partition by participant_id order by sequence_number)
)

select
    participant_id,
    sequence_number,
    backlog_state,
    began_at,
    ended_at
from neighbours
where
    coalesce(ended_at <> next_began_at, (ended_at is null) <> (next_number is null))
    or ended_at < began_at
    or (coalesce(backlog_state, '') = next_state and coalesce(incentive_status, '') = next_incentive_status)
