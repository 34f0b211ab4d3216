"""A quick proof that histories hang together: sums of hashes in place of a sort of every change.

Two sets of rows are the same if the sums of their rows' hashes are; that they are and the rows are not has a chance of
about one in 2^64. Each fingerprint shifts or renames columns, so that what is equal is a rule of histories.py: the
changes but the last, each with its end, are the changes but the first, each with its beginning, so every number has a
next one and every end is a beginning. A screen presumes that rows and keys were found right. If it fails, the rules
are tried one by one, which takes as long as it takes.
"""


def _sum(columns: str, where: str = "true") -> str:
    return f"coalesce(sum(hash(hash({columns}))) filter (where {where}), 0)"


ORDER_HOLDS = f"""
with

changes as not materialized (
    select
        hash(participant_id) as participant,
        hash(participant_id, person_id, study_id) as anyone,
        cast(sequence_number as bigint) as this,
        cast(sequence_number as bigint) - 1 as before,
        prior_status,
        status,
        stage,
        occurred_at,
        ended_at,
        is_inferred,
        follows_gap
    from marts.status_changes
),

gaps as (
    select
        hash(participant_id) as participant,
        cast(sequence_number as bigint) - 1 - cast(prior_status is not null as integer) as last_known,
        status_before
    from audit.gaps
),

sums as (
    select
        {_sum("anyone, before, occurred_at", "before > 0")} as beginnings,
        {_sum("anyone, this, ended_at", "ended_at is not null")} as ends,

        {_sum("participant, this, status, occurred_at", "is_inferred")} as inferred,
        {_sum("participant, before, prior_status, occurred_at", "follows_gap and prior_status is not null")} as told,

        {_sum("participant, before, prior_status", "before > 0 and not is_inferred and not follows_gap")} as links,
        {_sum("participant, this, status", "ended_at is not null and not is_inferred")} as linked,

        count(*) filter (
            where before = 0 and not is_inferred and follows_gap = (prior_status is null)
        ) as wrong_first_changes
    from changes
),

lost as (
    select {_sum("participant, last_known, status_before", "status_before is not null")} as links
    from gaps
),

other_stages as (
    select status, stage from changes
    except
    (
        select status, stage_with_incentives from staging.stg_statuses
        union
        select status, stage_without_incentives from staging.stg_statuses
    )
)

select
    sums.beginnings = sums.ends
    and sums.inferred = sums.told
    and sums.links + lost.links = sums.linked
    and sums.wrong_first_changes = 0
    and not exists (select 1 from other_stages)
from sums
cross join lost
"""  # noqa: S608

AGREEMENT_HOLDS = f"""
with

steps as (
    select
        statuses.status,
        max(steps.step_order) as step_order
    from staging.stg_statuses as statuses
    inner join reference.funnel_steps as steps
        on statuses.funnel_step = steps.step
    group by statuses.status
),

changes as not materialized (
    select
        hash(changes.participant_id) as participant,
        changes.*,
        steps.step_order
    from marts.status_changes as changes
    left join steps
        on changes.status = steps.status
),

totals as (
    select
        participant,
        count(*) filter (where not is_inferred) as status_changes,
        count(*) filter (where follows_gap) as missing_changes,
        max(step_order) as step_order
    from changes
    group by participant
),

counted as (
    select {_sum("totals.participant, totals.status_changes, totals.missing_changes, steps.step")} as participants
    from totals
    inner join reference.funnel_steps as steps
        on totals.step_order = steps.step_order
),

seen as (
    select
        {_sum("participant, person_id, study_id, status, stage, occurred_at", "is_current")} as last_changes,
        {_sum("participant, occurred_at", "sequence_number = 1")} as first_changes,
        {_sum("participant, occurred_at, cast(deliveries as bigint)", "not is_inferred")} as delivered,
        {_sum("participant, cast(sequence_number as bigint)", "follows_gap")} as gaps
    from changes
),

said as (
    select
        {_sum("hash(participant_id), person_id, study_id, current_status, current_stage, last_changed_at")}
            as last_changes,
        {_sum("hash(participant_id), first_seen_at")} as first_changes,
        {_sum("hash(participant_id), cast(status_changes as bigint), cast(missing_changes as bigint), furthest_step")}
            as participants
    from marts.participants
),

staged as (
    select {_sum("hash(participant_id), occurred_at, cast(deliveries as bigint)")} as delivered
    from staging.stg_changes
    where occurred_at <= $as_of
),

gaps as (
    select {_sum("hash(participant_id), cast(sequence_number as bigint)")} as gaps
    from audit.gaps
)

select
    seen.last_changes = said.last_changes
    and seen.first_changes = said.first_changes
    and counted.participants = said.participants
    and seen.delivered = staged.delivered
    and seen.gaps = gaps.gaps
from seen
cross join said
cross join counted
cross join staged
cross join gaps
"""  # noqa: S608
