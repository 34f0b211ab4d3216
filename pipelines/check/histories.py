"""Whether each participant's history hangs together, and the tables that are made from it agree with it."""

from pipelines.check.meanings import NOT_IN_REFERENCE, REBUILD, STALE
from pipelines.check.scan import Rule, Scan

CHANGES, PARTICIPANTS, GAPS = "marts.status_changes", "marts.participants", "audit.gaps"

NEIGHBOURS = """
with

neighbours as (
    select
        *,
        lag(sequence_number) over history as number_before,
        lag(status) over history as status_before,
        lag(is_inferred) over history as inferred_before,
        lag(occurred_at) over history as occurred_before,
        lead(occurred_at) over history as occurred_after,
        lead(prior_status) over history as prior_status_after,
        lead(follows_gap) over history as gap_after
    from marts.status_changes
    window history as (partition by participant_id order by sequence_number, occurred_at, status)
),

stages as (
    select
        status,
        list(stage_with_incentives) || list(stage_without_incentives) as stages_of_status
    from staging.stg_statuses
    group by status
)

select
    neighbours.*,
    stages.stages_of_status
from neighbours
left join stages
    on neighbours.status = stages.status
"""

PLACE = "participant_id, sequence_number"

ORDER = Scan(
    NEIGHBOURS,
    (
        Rule(
            CHANGES,
            "sequence_number runs 1, 2, 3, …",
            "sequence_number > coalesce(number_before, 0) + 1",
            f"{PLACE}, number_before",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "occurred_at is not before the change before",
            "occurred_at < occurred_before",
            f"{PLACE}, occurred_before, occurred_at",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "ended_at is the next change's occurred_at",
            "ended_at is distinct from occurred_after",
            f"{PLACE}, ended_at, occurred_after",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "follows_gap where prior_status is not the status before",
            "not is_inferred and not follows_gap and prior_status is distinct from status_before",
            f"{PLACE}, status_before, prior_status, status",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "follows_gap only where a change is missing",
            "follows_gap and case when prior_status is null then status_before is null or inferred_before "
            "else inferred_before is distinct from true or prior_status is distinct from status_before end",
            f"{PLACE}, status_before, prior_status, status",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "an inferred change stands just before the change that tells of it",
            "is_inferred and (gap_after is distinct from true or prior_status_after is distinct from status "
            "or occurred_after is distinct from occurred_at)",
            f"{PLACE}, status, occurred_at, prior_status_after, occurred_after",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "stage is a stage of the status",
            "not list_contains(stages_of_status, stage)",
            f"{PLACE}, status, stage",
            NOT_IN_REFERENCE,
        ),
    ),
)

TOTALS = """
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

changes as (
    select
        changes.participant_id,
        count(*) filter (where changes.is_current) as current_changes,
        count(*) filter (where not changes.is_inferred) as delivered_changes,
        count(*) filter (where changes.follows_gap) as gaps,
        cast(sum(changes.deliveries) as bigint) as deliveries,
        min(changes.occurred_at) as first_occurred_at,
        max(changes.occurred_at) as last_occurred_at,
        max_by(changes.status, changes.sequence_number) as last_status,
        max_by(changes.stage, changes.sequence_number) as last_stage,
        min(changes.person_id) as person,
        max(changes.person_id) as other_person,
        min(changes.study_id) as study,
        max(changes.study_id) as other_study,
        max(steps.step_order) as furthest_step_order
    from marts.status_changes as changes
    left join steps
        on changes.status = steps.status
    group by changes.participant_id
),

staged as (
    select
        participant_id,
        count(*) as staged_changes,
        cast(sum(deliveries) as bigint) as staged_deliveries
    from staging.stg_changes
    where occurred_at <= $as_of
    group by participant_id
),

gap_rows as (
    select participant_id, count(*) as gap_rows
    from audit.gaps
    group by participant_id
)

select
    coalesce(changes.participant_id, participants.participant_id, staged.participant_id, gap_rows.participant_id)
        as participant_id,
    changes.participant_id is not null as has_changes,
    participants.participant_id is not null as has_row,
    changes.* exclude (participant_id),
    furthest_steps.step as furthest_step_seen,
    participants.* exclude (participant_id),
    coalesce(changes.delivered_changes, 0) as changes_in_mart,
    coalesce(changes.deliveries, 0) as deliveries_in_mart,
    coalesce(changes.gaps, 0) as gaps_in_mart,
    coalesce(staged.staged_changes, 0) as staged_changes,
    coalesce(staged.staged_deliveries, 0) as staged_deliveries,
    coalesce(gap_rows.gap_rows, 0) as gap_rows
from changes
left join reference.funnel_steps as furthest_steps
    on changes.furthest_step_order = furthest_steps.step_order
full join marts.participants as participants
    on changes.participant_id = participants.participant_id
full join staged
    on coalesce(changes.participant_id, participants.participant_id) = staged.participant_id
full join gap_rows
    on coalesce(changes.participant_id, participants.participant_id, staged.participant_id) = gap_rows.participant_id
"""


def _agree(column: str, with_changes: str, rule: str) -> Rule:
    return Rule(PARTICIPANTS, rule, f"{column} <> {with_changes}", f"participant_id, {column}, {with_changes}", REBUILD)


AGREEMENT = Scan(
    TOTALS,
    (
        Rule(
            CHANGES,
            "one change per participant is current",
            "current_changes <> 1",
            "participant_id, current_changes",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "a participant has one person and one study",
            "person <> other_person or study <> other_study",
            "participant_id, person, other_person, study, other_study",
            REBUILD,
        ),
        Rule(
            CHANGES,
            "every staged change up to as-of is there once, with its deliveries",
            "changes_in_mart <> staged_changes or deliveries_in_mart <> staged_deliveries",
            "participant_id, changes_in_mart, staged_changes, deliveries_in_mart, staged_deliveries",
            STALE,
        ),
        Rule(
            PARTICIPANTS,
            "every participant of status_changes is there",
            "has_changes and not has_row",
            "participant_id",
            REBUILD,
        ),
        Rule(
            PARTICIPANTS,
            "every participant has changes in status_changes",
            "has_row and not has_changes",
            "participant_id",
            REBUILD,
        ),
        _agree("status_changes", "delivered_changes", "status_changes counts the delivered changes"),
        _agree("missing_changes", "gaps", "missing_changes counts the gaps"),
        _agree("person_id", "other_person", "person_id is that of the changes"),
        _agree("study_id", "other_study", "study_id is that of the changes"),
        _agree("current_status", "last_status", "current_status is the status of the last change"),
        _agree("current_stage", "last_stage", "current_stage is the stage of the last change"),
        _agree("first_seen_at", "first_occurred_at", "first_seen_at is the time of the first change"),
        _agree("last_changed_at", "last_occurred_at", "last_changed_at is the time of the last change"),
        _agree("furthest_step", "furthest_step_seen", "furthest_step is the latest step of the changes"),
        Rule(
            GAPS,
            "one row per change that follows a gap",
            "gap_rows <> gaps_in_mart",
            "participant_id, gap_rows, gaps_in_mart",
            REBUILD,
        ),
    ),
)

HISTORIES = (ORDER, AGREEMENT)
