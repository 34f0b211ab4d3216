-- Every staged change up to the as-of time is in status_changes exactly once, with its deliveries.
-- Why: every number in every mart is computed from these rows. Nothing else would reveal a change that a join dropped
-- or duplicated.
-- Remedy: The table was not built from the lines that are loaded now, or was built with a different as-of time from
-- this check. Build it again as of this time: studyflow build
-- Key: participant_id
-- Rules of marts.status_changes:
--   differs: every staged change up to the as-of time is in the mart exactly once, with its deliveries
--     (changes_in_mart, staged_changes, deliveries_in_mart, staged_deliveries)
with

staged as (
    select
        participant_key,
        count(*) as changes,
        sum(deliveries) as deliveries
    from {{ ref('stg_changes') }}
    where occurred_at <= {{ as_of() }}
    group by participant_key
),

-- Keys in the tables are hashes of the engine that built them, which may not be the engine that runs this test.
identities as (
    select distinct
        participant_key,
        participant_id,
        {{ id_key('participant_id') }} as id_key
    from {{ ref('stg_identities') }}
),

in_mart_by_id as (
    select
        {{ id_key('participant_id') }} as id_key,
        count(*) as changes,
        sum(deliveries) as deliveries
    from {{ ref('status_changes') }}
    where not is_inferred
    group by {{ id_key('participant_id') }}
),

in_mart as (
    select
        coalesce(identities.participant_key, in_mart_by_id.id_key) as participant_key,
        sum(in_mart_by_id.changes) as changes,
        sum(in_mart_by_id.deliveries) as deliveries
    from in_mart_by_id
    left join identities
        on in_mart_by_id.id_key = identities.id_key
    group by coalesce(identities.participant_key, in_mart_by_id.id_key)
),

compared as (
    select
        coalesce(staged.participant_key, in_mart.participant_key) as participant_key,
        cast(coalesce(in_mart.changes, 0) as bigint) as changes_in_mart,
        coalesce(staged.changes, 0) as staged_changes,
        cast(coalesce(in_mart.deliveries, 0) as bigint) as deliveries_in_mart,
        cast(coalesce(staged.deliveries, 0) as bigint) as staged_deliveries
    from staged
    full outer join in_mart
        on staged.participant_key = in_mart.participant_key
),

broken as (
    select * from compared
    where changes_in_mart <> staged_changes or deliveries_in_mart <> staged_deliveries
),

ids as (
    select
        participant_key,
        participant_id
    from identities
    where participant_key in (select broken.participant_key from broken)
    union distinct
    select
        {{ id_key('participant_id') }} as participant_key,
        participant_id
    from {{ ref('status_changes') }}
    where {{ id_key('participant_id') }} in (select broken.participant_key from broken)
)

select
    broken.*,
    ids.participant_id,
    true as differs
from broken
left join ids
    on broken.participant_key = ids.participant_key
