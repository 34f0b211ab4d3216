-- Why: the second identity of the accounting, over all files: every accepted line is a distinct change or a repetition
-- of one. Deliveries that no change counts would vanish from every mart.
with

accepted as (
    select sum(accepted) as lines
    from {{ ref('load_files') }}
),

changes as (
    select sum(deliveries) as deliveries
    from {{ ref('stg_changes') }}
)

select
    accepted.lines,
    changes.deliveries
from accepted
cross join changes
where coalesce(accepted.lines, 0) <> coalesce(changes.deliveries, 0)
