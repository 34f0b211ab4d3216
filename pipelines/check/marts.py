"""The tables whose rows are only checked for what their columns may hold: each table's key and columns, by kind.

A new table is an entry in MARTS. A kind is a key of KINDS or REFERENCES; `?` after a column: it may be null. What the
kinds ask for is in schemas.py, which takes a second to import; this does not. status_changes and participants have
rules of their own there.
"""

from dataclasses import dataclass

REFERENCES = {
    "statuses": "is in the table of statuses",
    "labels": "is a label in the table of statuses",
    "activities": "is an activity of the table of statuses",
    "series": "is a series of the table of statuses",
    "incentive_statuses": "is an incentive status of the reference tables",
    "stages": "is in reference.stages",
    "steps": "is in reference.funnel_steps",
    "backlog_states": "is in reference.incentive_effects",
    "contact_statuses": "is in reference.contact_statuses",
    "contact_rules": "is in the table of contact rules",
}
"""How the rule is worded, by the field of `Known` that has the values."""


@dataclass(frozen=True, slots=True)
class Mart:
    """One table: `key` is its grain, `columns` has each column's kind, and `nullable` those that may be null."""

    key: tuple[str, ...]
    columns: dict[str, str]
    nullable: frozenset[str]


def _mart(key: str, **columns_by_kind: str) -> Mart:
    kinds = {name: kind for kind, names in columns_by_kind.items() for name in names.split()}
    return Mart(
        tuple(key.split()),
        {name.removesuffix("?"): kind for name, kind in kinds.items()},
        frozenset(name.removesuffix("?") for name in kinds if name.endswith("?")),
    )


def _durations(of: str, reference: str) -> Mart:
    return _mart(
        f"study_id {of}",
        text="study_id",
        **{reference: of},
        count="participants visits completed_visits open_visits",
        length="median_hours? p90_hours? max_hours? median_hours_per_participant? oldest_open_hours?",
    )


COVERAGE = {
    "past": "feed_began_at last_change_at",
    "count": "participants participants_whole missing_beginnings older_than_feed changes gaps links broken_links",
    "share": "share_whole loss_rate? loss_rate_low? loss_rate_high?",
    "length": "lost? lost_low? lost_high?",
}
"""What a study and all together say of their feed."""

MARTS = {
    "marts.incentive_states": _mart(
        "participant_id sequence_number",
        text="participant_id person_id study_id",
        count="sequence_number",
        backlog_states="backlog_state?",
        incentive_statuses="incentive_status?",
        past="began_at ended_at?",
    ),
    "marts.incentive_backlog": _mart(
        "participant_id",
        text="participant_id person_id study_id age_bucket",
        statuses="current_status",
        backlog_states="backlog_state",
        past="owed_since",
        length="age_days",
        flag="is_overdue is_hidden previously_sent",
        number="amount_cents?",
    ),
    "marts.incentive_backlog_daily": _mart(
        "day study_id backlog_state",
        day="day",
        text="study_id",
        backlog_states="backlog_state",
        count="participants overdue",
        large_number="amount_cents?",
    ),
    "marts.study_funnel": _mart(
        "study_id step",
        text="study_id",
        steps="step",
        number="step_order",
        count="observed reached dropped_active dropped_lost converted_timed",
        share="conversion_from_previous? conversion_from_first",
        length="median_hours_from_previous? p90_hours_from_previous?",
    ),
    "marts.study_funnel_cohorts": _mart(
        "study_id cohort_week step",
        text="study_id",
        day="cohort_week",
        steps="step",
        number="step_order",
        count="participants reached reached_within_7d matured_7d reached_within_14d matured_14d "
        "reached_within_30d matured_30d reached_within_90d matured_90d",
    ),
    "marts.study_drop_off": _mart(
        "study_id step status",
        text="study_id",
        steps="step",
        number="step_order",
        statuses="status",
        labels="status_label",
        count="participants",
        share="share_of_drop",
        flag="is_lost",
    ),
    "marts.study_progress": _mart(
        "study_id",
        text="study_id study_type",
        name="study_name?",
        count="participants invited interviews_booked completed interviews_completed surveys_completed tests_completed "
        "likely_manual_completions no_shows cancellations opt_outs bounces stage_not_started stage_invited "
        "stage_screening stage_in_progress stage_pending_incentive stage_done stage_cancelled backlog remaining? gaps",
        share="screener_pass_rate? show_rate? completeness",
        number="participation_limit?",
        past="first_change_at last_change_at",
    ),
    "marts.study_stage_daily": _mart(
        "study_id day stage", text="study_id", day="day", stages="stage", count="participants entered left"
    ),
    "marts.stage_durations": _durations("stage", "stages"),
    "marts.status_durations": _durations("status", "statuses"),
    "marts.ageing_participants": _mart(
        "participant_id",
        text="participant_id person_id study_id study_type",
        stages="current_stage",
        statuses="current_status",
        labels="current_status_label",
        past="stage_since",
        length="hours_in_stage",
        share="percentile?",
        flag="is_stalled is_to_be_moved_by_hand",
    ),
    "marts.people": _mart(
        "person_id",
        text="person_id",
        name="person_name?",
        contact_statuses="contact_status",
        time="cooldown_ends_at?",
        flag="is_active_in_study",
        past="first_seen_at last_changed_at last_contact_at? last_completed_at?",
        count="studies studies_not_started studies_active studies_done studies_cancelled studies_invited "
        "contacts contacts_30d contacts_90d "
        "interviews_completed interviews_completed_30d interviews_completed_90d interviews_completed_365d "
        "surveys_completed surveys_completed_30d surveys_completed_90d surveys_completed_365d "
        "tests_completed tests_completed_30d tests_completed_90d tests_completed_365d "
        "no_shows interviews_cancelled late_cancellations incentives_sent incentives_claimed",
        share="response_rate?",
    ),
    "marts.contact_limits": _mart(
        "person_id rule_id",
        text="person_id",
        contact_rules="rule_id",
        name="rule_name",
        number="at_most within_days",
        past="first_exceeded_at last_exceeded_at",
        count="times_exceeded most_in_window exceeded_by in_window_now",
    ),
    "marts.activity_daily": _mart(
        "day study_id activity", day="day", text="study_id", series="activity", count="changes"
    ),
    "marts.time_to_recruit": _mart(
        "participant_id",
        text="participant_id person_id study_id study_type",
        activities="activity?",
        past="invited_at completed_at",
        length="hours",
    ),
    "marts.transitions": _mart(
        "study_id from_status to_status",
        text="study_id study_type",
        statuses="from_status? to_status",
        flag="is_expected",
        count="transitions timed_transitions",
        length="median_hours?",
    ),
    "audit.feed_coverage": _mart("study_id", text="study_id", **COVERAGE),
    "audit.feed_totals": _mart(
        "feed_began_at",
        **COVERAGE | {"count": f"studies {COVERAGE['count']}", "share": f"{COVERAGE['share']} worst_loss_rate?"},
        text="worst_study_id?",
    ),
    "audit.gaps_weekly": _mart(
        "study_id week",
        text="study_id",
        day="week",
        count="changes gaps links broken_links",
        share="loss_rate?",
        length="lost?",
    ),
    "audit.feed_silence": _mart(
        "scope study_id silent_since",
        text="scope study_id?",
        past="silent_since silent_until?",
        flag="is_open",
        length="silence_hours usual_hours",
    ),
}
