-- Why: spans, ages and funnels are read from one row to the next. That only works when each participant's changes are
-- numbered without holes, follow one another in time, end where the next begins, say truly what came before, and
-- exactly the last one is current.
with

changes as (
    select * from {{ ref('status_changes') }}
),

neighbours as (
    select
        *,
        row_number() over in_order as expected_number,
        lag(status) over in_order as status_before,
        lead(occurred_at) over in_order as next_occurred_at,
        lead(follows_gap) over in_order as next_follows_gap
    from changes
    window in_order as (partition by participant_id order by sequence_number)
),

judged as (
    select
        *,
        case
            when sequence_number <> expected_number then 'the numbers have a hole'
            when occurred_at > {{ as_of() }} then 'it is later than as-of'
            when ended_at < occurred_at then 'it ends before it begins'
            when coalesce(ended_at <> next_occurred_at, (ended_at is null) <> (next_occurred_at is null))
                then 'it does not end where the next begins'
            when is_current <> (next_occurred_at is null) then 'not the last one is current'
            when is_inferred and not coalesce(next_follows_gap, false) then 'it is inferred from no gap'
            when not is_inferred and prior_status <> coalesce(status_before, '') then 'its link is broken'
            when not is_inferred and prior_status is null and follows_gap <> (status_before is not null)
                then 'a first change is told from a gap by what is before it'
        end as problem
    from neighbours
)

select
    participant_id,
    sequence_number,
    problem
from judged
where problem is not null
