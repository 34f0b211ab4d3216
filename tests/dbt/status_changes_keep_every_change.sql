-- Every staged change up to as-of is in status_changes once, with its deliveries.
-- Why: every number of every mart counts these rows. A change that a join dropped or doubled would be seen nowhere
-- else.
-- Remedy: The table is not made of what is loaded now, or its as-of is another than that of this check. Build again
-- as of this time with: studyflow build
-- Key: participant_id
-- Rules of marts.status_changes:
--   differs: every staged change up to as-of is there once, with its deliveries (changes_in_mart, staged_changes,
--     deliveries_in_mart, staged_deliveries)
with

staged as (
    select
        identities.participant_id,
        count(*) as changes,
        sum(changes.deliveries) as deliveries
    from {{ ref('stg_changes') }} as changes
    inner join {{ ref('stg_identities') }} as identities
        on
            changes.participant_key = identities.participant_key
            and changes.person_key = identities.person_key
            and changes.study_key = identities.study_key
    where changes.occurred_at <= {{ as_of() }}
    group by identities.participant_id
),

in_mart as (
    select
        participant_id,
        count(*) as changes,
        sum(deliveries) as deliveries
    from {{ ref('status_changes') }}
    where not is_inferred
    group by participant_id
),

compared as (
    select
        coalesce(staged.participant_id, in_mart.participant_id) as participant_id,
        coalesce(in_mart.changes, 0) as changes_in_mart,
        coalesce(staged.changes, 0) as staged_changes,
        cast(coalesce(in_mart.deliveries, 0) as bigint) as deliveries_in_mart,
        cast(coalesce(staged.deliveries, 0) as bigint) as staged_deliveries
    from staged
    full outer join in_mart
        on staged.participant_id = in_mart.participant_id
)

select
    *,
    true as differs
from compared
where changes_in_mart <> staged_changes or deliveries_in_mart <> staged_deliveries
