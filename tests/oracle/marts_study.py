"""Studies as Rally's own pages show them: progress, and activity day by day.

The specification does not define these counts. Here a count of participants is of those who
ever had the status, inferred or not, except that completions must stand: no later change revokes
them. A count of activities is of delivered changes.
"""

from collections import Counter
from datetime import date

from .history import History
from .marts_backlog import incentive_backlog
from .reference import BOUNCES, COMPLETIONS, INVITATIONS, STAGES, STEPS, activity_of, study_of
from .tables import study_types
from .workspace import Row, Workspace, ratio

ACTIVITIES = {
    "SURVEY_COMPLETED": "surveys_completed",
    "SCREENER_COMPLETED": "screeners_completed",
    "SCREENER_QUALIFIED": "screeners_completed",
    "SCREENER_DISQUALIFIED": "screeners_completed",
    "UNMODERATED_TEST_COMPLETED": "tests_completed",
    "INTERVIEW_COMPLETED": "interviews_completed",
    "INTERVIEW_INVITE_SENT": "interview_invites",
    "INTERVIEW_SCHEDULED": "interviews_scheduled",
    "INTERVIEW_NO_SHOWED": "no_shows",
    "INTERVIEW_CANCELLED": "interviews_cancelled",
    "OPTED_OUT": "opt_outs",
    "INVITE_SENT": "invitations",
    "UNMODERATED_TEST_INVITE_SENT": "test_invites",
    "EMAIL_SOFT_BOUNCED": "bounces",
    "EMAIL_HARD_BOUNCED": "bounces",
    "INCENTIVE_SENT": "incentives_sent",
    "INCENTIVE_CLAIMED": "incentives_claimed",
}
PASSED = frozenset({"SCREENER_QUALIFIED"})
SCREENED = frozenset({"SCREENER_COMPLETED", "SCREENER_QUALIFIED", "SCREENER_DISQUALIFIED"})


def study_progress(workspace: Workspace) -> list[Row]:
    """Return a row for each study."""
    types = study_types(workspace.histories, workspace.studies)
    backlog = Counter(row["study_id"] for row in incentive_backlog(workspace))
    rows: list[Row] = []
    for study_id, histories in workspace.by_study().items():
        stages = Counter(workspace.current_stage(history) for history in histories)
        changes = [change for history in histories for change in history.observed]
        gaps = sum(change.follows_gap for change in changes)
        done = {
            status: {one.participant_id for one in histories if status in standing_completions(workspace, one)}
            for status in COMPLETIONS
        }
        attended = done["INTERVIEW_COMPLETED"]
        anything = set().union(*done.values())
        missed = _ever(histories, frozenset({"INTERVIEW_NO_SHOWED"}))
        limit = study_of(workspace.studies, study_id).participation_limit
        screened = _ever(histories, SCREENED)
        reached = {one.participant_id for one in histories if workspace.furthest(one) >= STEPS.index("qualified")}
        closed_on = study_of(workspace.studies, study_id).closed_on
        row: Row = {
            "study_id": study_id,
            "study_type": types[study_id],
            "participants": len(histories),
            "invited": len(_ever(histories, INVITATIONS)),
            "interviews_booked": len(_ever(histories, frozenset({"INTERVIEW_SCHEDULED"}))),
            "completed": len(anything),
            "interviews_completed": len(attended),
            "surveys_completed": len(done["SURVEY_COMPLETED"]),
            "tests_completed": len(done["UNMODERATED_TEST_COMPLETED"]),
            "no_shows": len(missed),
            "cancellations": len(_ever(histories, frozenset({"INTERVIEW_CANCELLED"}))),
            "screened": len(screened),
            "passed_screener": len(screened & reached),
            "screener_pass_rate": ratio(len(screened & reached), len(screened)),
            "auto_qualified": len(_ever(histories, PASSED)),
            "auto_qualified_rate": ratio(len(_ever(histories, PASSED)), len(screened)),
            "expected_at_interview": len(attended | missed),
            "show_rate": ratio(len(attended), len(attended | missed)),
            "opt_outs": len(_ever(histories, frozenset({"OPTED_OUT"}))),
            "bounces": len(_ever(histories, BOUNCES)),
            "backlog": backlog[study_id],
            "participation_limit": limit,
            "remaining": None if limit is None else max(limit - len(anything), 0),
            "over_limit": 0 if limit is None else max(len(anything) - limit, 0),
            "is_full": limit is not None and len(anything) >= limit,
            "closed_on": date.fromisoformat(closed_on) if closed_on else None,
            "is_closed": workspace.is_closed(study_id),
            "gaps": gaps,
            "completeness": ratio(len(changes), len(changes) + gaps),
            "first_change_at": min(change.occurred_at for change in changes),
            "last_change_at": max(change.occurred_at for change in changes),
        }
        row |= {f"stage_{stage.lower().replace(' ', '_')}": stages[stage] for stage in STAGES}
        rows.append(row)
    return rows


def closed_or_full_studies(workspace: Workspace) -> set[str]:
    """Name the studies that are closed, or that as many have completed as they take."""
    names = set()
    for study_id, histories in workspace.by_study().items():
        limit = study_of(workspace.studies, study_id).participation_limit
        completed = sum(bool(standing_completions(workspace, one)) for one in histories)
        if workspace.is_closed(study_id) or (limit is not None and completed >= limit):
            names.add(study_id)
    return names


def standing_completions(workspace: Workspace, history: History) -> dict[str, int]:
    """Name the completed statuses that no later change revokes, with the number of the first change of each.

    A change of one activity revokes nothing of another.
    """
    standing: dict[str, int] = {}
    for number, change in enumerate(history.changes, start=1):
        if workspace.statuses[change.status].incentive_effect == "revokes":
            revoked = activity_of(change.status)
            standing = {
                status: first for status, first in standing.items() if revoked and activity_of(status) != revoked
            }
        elif change.status in COMPLETIONS:
            standing.setdefault(change.status, number)
    return standing


def activity_daily(workspace: Workspace) -> list[Row]:
    """Day by study by activity, where there was any."""
    counts = Counter(
        (workspace.day(change.occurred_at), history.study_id, ACTIVITIES[change.status])
        for history in workspace.histories
        for change in history.observed
        if change.status in ACTIVITIES and not _is_judged_later(change.prior_status, change.status)
    )
    return [
        {"day": day, "study_id": study_id, "activity": activity, "changes": count}
        for (day, study_id, activity), count in sorted(counts.items())
    ]


def _is_judged_later(before: str | None, status: str) -> bool:
    """Say whether a change only judges a screener that was completed before."""
    screened = {key for key, activity in ACTIVITIES.items() if activity == "screeners_completed"}
    return before != status and {before, status} <= screened


def _ever(histories: list[History], statuses: frozenset[str]) -> set[str]:
    """Participants who ever had one of the statuses."""
    return {
        history.participant_id for history in histories if any(change.status in statuses for change in history.changes)
    }
