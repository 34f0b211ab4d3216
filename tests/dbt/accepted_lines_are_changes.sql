-- Every accepted line of every file is a delivery of a staged change.
-- Why: a line that belongs to no change would be missing from every mart.
-- Remedy: The table was not built from the lines that are loaded now. Build it again: studyflow build
-- Key: accepted
-- Rules of staging.stg_changes:
--   differs: the deliveries of all changes = the accepted lines of all files (distinct_changes, deliveries)
with

files as (
    select cast(coalesce(sum(accepted), 0) as bigint) as accepted
    from {{ ref('load_files') }}
),

changes as (
    select
        count(*) as distinct_changes,
        cast(coalesce(sum(deliveries), 0) as bigint) as deliveries
    from {{ ref('stg_changes') }}
)

select
    files.accepted,
    changes.distinct_changes,
    changes.deliveries,
    true as differs
from files
cross join changes
where files.accepted <> changes.deliveries
