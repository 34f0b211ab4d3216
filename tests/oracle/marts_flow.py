"""How participants flow: stages by day, how long they stay, and from where to where."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from math import sqrt

from .history import Change, History
from .marts_study import closed_or_full_studies
from .reference import LET_GO, MOVED_ON_BY_TEAM, STAGES
from .tables import study_types
from .workspace import HOUR, Row, Visit, Workspace, percentile, ratio, visits

STALLED_SHARE = 0.9
FEWEST_TIMED = 20
MOVED_BY_HAND = frozenset({"SCREENER_STARTED", "SURVEY_STARTED"})
NUDGED_IN = frozenset({"Invited", "Screening", "In Progress"})


def study_stage_daily(workspace: Workspace) -> list[Row]:
    """Study by day by stage, leaving out rows that would be all zero."""
    rows: list[Row] = []
    for study_id, histories in workspace.by_study().items():
        stays = [stay for history in histories for stay in stage_visits(workspace, history)]
        for day in workspace.days_from(min(stay.started_at for stay in stays)):
            end = workspace.end_of(day)
            for stage in STAGES:
                here = [stay for stay in stays if stay.name == stage]
                counts = {
                    "participants": sum(
                        stay.started_at < end and (stay.ended_at is None or stay.ended_at >= end) for stay in here
                    ),
                    "entered": sum(workspace.day(stay.started_at) == day for stay in here),
                    "left": sum(stay.ended_at is not None and workspace.day(stay.ended_at) == day for stay in here),
                }
                if any(counts.values()):
                    rows.append({"study_id": study_id, "day": day, "stage": stage} | counts)
    return rows


def stage_durations(workspace: Workspace) -> list[Row]:
    """Study by stage."""
    return _durations(
        workspace,
        "stage",
        lambda history: stage_visits(workspace, history),
    )


def status_durations(workspace: Workspace) -> list[Row]:
    """Study by status."""
    return _durations(workspace, "status", _status_visits)


def ageing_participants(workspace: Workspace) -> list[Row]:
    """Return a row for each participant who is not in a terminal stage."""
    types = study_types(workspace.histories, workspace.studies)
    completed: dict[tuple[str, str], list[float]] = defaultdict(list)
    for history in workspace.histories:
        for stay in stage_visits(workspace, history):
            if stay.ended_at is not None:
                hours = (stay.ended_at - stay.started_at) / HOUR
                completed[types[history.study_id], stay.name].append(hours)
    ended = closed_or_full_studies(workspace)
    rows: list[Row] = []
    for history in workspace.histories:
        if workspace.is_terminal(history):
            continue
        stay = stage_visits(workspace, history)[-1]
        hours = (workspace.as_of - stay.started_at) / HOUR
        others = completed[types[history.study_id], stay.name]
        share = ratio(sum(other <= hours for other in others), len(others))
        status = history.changes[-1].status
        stalled = share is not None and share > STALLED_SHARE
        action = _action(status, ended=history.study_id in ended) if stalled and stay.name in NUDGED_IN else None
        rows.append(
            {
                "participant_id": history.participant_id,
                "person_id": history.person_id,
                "study_id": history.study_id,
                "study_type": types[history.study_id],
                "current_stage": stay.name,
                "current_status": status,
                "stage_since": stay.started_at,
                "hours_in_stage": hours,
                "percentile": share,
                "is_stalled": stalled,
                "is_to_be_moved_by_hand": status in MOVED_BY_HAND,
                "action": action,
                "is_actionable": action in {"remind", "move_by_hand"},
            },
        )
    return rows


def _action(status: str, *, ended: bool) -> str:
    """Say what to do about someone who is stalled."""
    if ended or status in LET_GO:
        return "let_go"
    return "move_by_hand" if status in MOVED_ON_BY_TEAM else "remind"


def transitions(workspace: Workspace) -> list[Row]:
    """Study by from by to. Every delivered change is one; only unbroken links are timed."""
    counts: dict[tuple[str, str | None, str], int] = defaultdict(int)
    timed: dict[tuple[str, str | None, str], list[float]] = defaultdict(list)
    for history in workspace.histories:
        before: Change | None = None
        for change in history.observed:
            move = history.study_id, change.prior_status, change.status
            counts[move] += 1
            if before is not None and not change.follows_gap:
                timed[move].append((change.occurred_at - before.occurred_at) / HOUR)
            before = change
    return [
        {
            "study_id": study_id,
            "from_status": source,
            "to_status": target,
            "transitions": count,
            "median_hours": percentile(timed[study_id, source, target], 0.5),
            **_outliers(timed[study_id, source, target]),
        }
        for (study_id, source, target), count in counts.items()
    ]


def _outliers(hours: list[float]) -> Row:
    """Count what is beyond the quartiles by more than 1.5 of their distance, in logarithms."""
    low, high = percentile(hours, 0.25), percentile(hours, 0.75)
    if len(hours) < FEWEST_TIMED or not low or not high:
        return dict.fromkeys(("usual_from_hours", "usual_to_hours", "unusually_fast", "unusually_slow"))
    first, last = low / (high / low * sqrt(high / low)), high * (high / low * sqrt(high / low))
    return {
        "usual_from_hours": first,
        "usual_to_hours": last,
        "unusually_fast": sum(one < first for one in hours),
        "unusually_slow": sum(one > last for one in hours),
    }


def stage_visits(workspace: Workspace, history: History) -> list[Visit]:
    """Cut a history into unbroken runs of one stage."""
    return visits(history, lambda change: workspace.stage(history, change))


def _status_visits(history: History) -> list[Visit]:
    return visits(history, lambda change: change.status)


def _durations(
    workspace: Workspace,
    column: str,
    visits_of: Callable[[History], Iterable[Visit]],
) -> list[Row]:
    groups: dict[tuple[str, str], list[Visit]] = defaultdict(list)
    for history in workspace.histories:
        for visit in visits_of(history):
            groups[history.study_id, visit.name].append(visit)
    rows: list[Row] = []
    for (study_id, name), group in sorted(groups.items()):
        hours = [(one.ended_at - one.started_at) / HOUR for one in group if one.ended_at]
        ages = [(workspace.as_of - one.started_at) / HOUR for one in group if not one.ended_at]
        summed: dict[str, float] = defaultdict(float)
        for one in group:
            if one.ended_at:
                summed[one.history.participant_id] += (one.ended_at - one.started_at) / HOUR
        rows.append(
            {
                "study_id": study_id,
                column: name,
                "participants": len({one.history.participant_id for one in group}),
                "visits": len(group),
                "completed_visits": len(hours),
                "open_visits": len(ages),
                "median_hours": percentile(hours, 0.5),
                "p90_hours": percentile(hours, 0.9),
                "max_hours": max(hours, default=None),
                "median_hours_per_participant": percentile(summed.values(), 0.5),
                "oldest_open_hours": max(ages, default=None),
            },
        )
    return rows
