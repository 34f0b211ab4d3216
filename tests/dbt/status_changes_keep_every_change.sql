-- Why: every number of every mart counts these rows. A change that a join dropped or doubled, and the participant with
-- it, would be seen nowhere else.
with

staged as (
    select
        participant_id,
        count(*) as changes,
        sum(deliveries) as deliveries
    from {{ ref('stg_changes') }}
    where occurred_at <= {{ as_of() }}
    group by participant_id
),

published as (
    select
        participant_id,
        count(*) as changes,
        sum(deliveries) as deliveries
    from {{ ref('status_changes') }}
    where not is_inferred
    group by participant_id
)

select
    staged.participant_id as staged_participant_id,
    published.participant_id as published_participant_id,
    staged.changes as changes_staged,
    published.changes as changes_published,
    staged.deliveries as deliveries_staged,
    published.deliveries as deliveries_published
from staged
full outer join published
    on staged.participant_id = published.participant_id
where
    coalesce(staged.changes, 0) <> coalesce(published.changes, 0)
    or coalesce(staged.deliveries, 0) <> coalesce(published.deliveries, 0)
