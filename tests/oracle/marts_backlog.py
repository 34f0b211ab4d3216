"""Section 6: the incentive backlog, now and day by day."""

from collections import defaultdict
from datetime import date, datetime

from .history import History
from .incentives import Incentive, fold
from .reference import study_of
from .workspace import DAY, Row, Workspace

BUCKETS = ((2, "0-2"), (7, "3-7"), (14, "8-14"), (30, "15-30"))


def incentive_backlog(workspace: Workspace) -> list[Row]:
    """Return a row for each participant in the backlog."""
    rows: list[Row] = []
    for history in workspace.histories:
        incentive = _incentive(workspace, history)
        if incentive.since is None:
            continue
        hidden = workspace.current_stage(history) != "Pending Incentive"
        rows.append(
            {
                "participant_id": history.participant_id,
                "person_id": history.person_id,
                "study_id": history.study_id,
                "backlog_state": incentive.state,
                "owed_since": incentive.since,
                "age_days": (workspace.as_of - incentive.since) / DAY,
                "age_bucket": age_bucket((workspace.as_of - incentive.since).days),
                "is_overdue": _is_overdue(workspace, incentive.since, workspace.as_of),
                "is_hidden": incentive.state == "not_sent" and hidden,
                "previously_sent": incentive.sent_before,
                "is_study_closed": workspace.is_closed(history.study_id),
                "amount_cents": study_of(workspace.studies, history.study_id).incentive_cents,
                "currency": study_of(workspace.studies, history.study_id).currency,
            },
        )
    return rows


def incentive_backlog_daily(workspace: Workspace) -> list[Row]:
    """Day by study by state, where anyone is in it at the end of the day (or at as-of)."""
    since: dict[tuple[date, str, str], list[bool]] = defaultdict(list)
    for history in workspace.histories:
        for day in workspace.days_from(history.changes[0].occurred_at):
            incentive = _incentive(workspace, history, workspace.end_of(day))
            if incentive.state is not None and incentive.since is not None:
                then = min(workspace.end_of(day), workspace.as_of)
                overdue = _is_overdue(workspace, incentive.since, then)
                since[day, history.study_id, incentive.state].append(overdue)
    rows: list[Row] = []
    for (day, study_id, state), overdue_of in sorted(since.items()):
        cents = study_of(workspace.studies, study_id).incentive_cents
        rows.append(
            {
                "day": day,
                "study_id": study_id,
                "backlog_state": state,
                "participants": len(overdue_of),
                "overdue": sum(overdue_of),
                "amount_cents": None if cents is None else cents * len(overdue_of),
            },
        )
    return rows


def age_bucket(whole_days: int) -> str:
    """Name the bucket of an age, by its whole days."""
    return next((name for most, name in BUCKETS if whole_days <= most), "over 30")


def _incentive(workspace: Workspace, history: History, until: datetime | None = None) -> Incentive:
    """Fold the changes before an instant, or all."""
    changes = [one for one in history.changes if until is None or one.occurred_at < until]
    return fold(changes, workspace.statuses, study_of(workspace.studies, history.study_id))


def _is_overdue(workspace: Workspace, since: datetime, then: datetime) -> bool:
    return then - since > workspace.incentive_sla_days * DAY
