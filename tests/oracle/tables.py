"""The public tables of issue 2, as lists of dicts; a cell not given is None."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from .history import Change, History
from .incentives import fold
from .reference import (
    STEPS,
    TERMINAL_STAGES,
    Statuses,
    Studies,
    activity_of,
    stage_of,
    study_of,
)

Row = dict[str, Any]


def status_changes(histories: Iterable[History], statuses: Statuses, studies: Studies) -> list[Row]:
    """`marts.status_changes`: a row for each change, inferred ones too."""
    return [
        {
            "participant_id": history.participant_id,
            "person_id": history.person_id,
            "study_id": history.study_id,
            "sequence_number": number,
            "prior_status": change.prior_status,
            "status": change.status,
            "stage": stage_of(change.status, history.study_id, statuses, studies),
            "occurred_at": change.occurred_at,
            "ended_at": following.occurred_at if following else None,
            "is_current": following is None,
            "is_inferred": change.is_inferred,
            "follows_gap": change.follows_gap,
            "deliveries": change.deliveries,
        }
        for history in histories
        for number, (change, following) in enumerate(pairwise([*history.changes, None]), start=1)
        if change is not None
    ]


def participants(histories: Iterable[History], statuses: Statuses, studies: Studies) -> list[Row]:
    """`marts.participants`: where everyone stands."""
    histories = list(histories)
    types = study_types(histories, studies)
    rows = []
    for history in histories:
        current = history.changes[-1]
        stage = stage_of(current.status, history.study_id, statuses, studies)
        rows.append(
            {
                "participant_id": history.participant_id,
                "person_id": history.person_id,
                "study_id": history.study_id,
                "study_type": types[history.study_id],
                "current_status": current.status,
                "current_status_label": statuses[current.status].label,
                "current_stage": stage,
                "is_terminal": stage in TERMINAL_STAGES,
                "status_since": status_since(history),
                "first_seen_at": history.changes[0].occurred_at,
                "last_changed_at": current.occurred_at,
                "furthest_step": STEPS[furthest(history.changes, statuses)],
                "incentive_status": fold(history.changes, statuses, study_of(studies, history.study_id)).label,
                "status_changes": len(history.observed),
                "missing_changes": sum(change.follows_gap for change in history.changes),
            },
        )
    return rows


def gaps(histories: Iterable[History]) -> list[Row]:
    """`audit.gaps`: what is missing happened between `after` (None: unknown) and `before`."""
    rows = []
    for history in histories:
        last: Change | None = None  # the last delivered change
        for number, change in enumerate(history.changes, start=1):
            if change.is_inferred:
                continue
            if change.follows_gap:
                rows.append(
                    {
                        "participant_id": history.participant_id,
                        "person_id": history.person_id,
                        "study_id": history.study_id,
                        "sequence_number": number,
                        "status_before": last.status if last else None,
                        "prior_status": change.prior_status,
                        "status": change.status,
                        "after": last.occurred_at if last else None,
                        "before": change.occurred_at,
                    },
                )
            last = change
    return rows


def study_types(histories: Iterable[History], studies: Studies) -> Mapping[str, str]:
    """Say of each study what the user says, or else what the statuses seen in it show."""
    seen: dict[str, set[str]] = {}
    for history in histories:
        activities = {activity_of(change.status) for change in history.changes}
        seen.setdefault(history.study_id, set()).update(activities - {None})  # type: ignore[arg-type]
    return {
        study_id: study_of(studies, study_id).study_type or _type_from(activities)
        for study_id, activities in seen.items()
    }


def _type_from(activities: set[str]) -> str:
    if not activities:
        return "unknown"
    return next(iter(activities)) if len(activities) == 1 else "mixed"


def status_since(history: History) -> datetime:
    """Say when the unbroken run of the current status began."""
    since = history.changes[-1].occurred_at
    for change in reversed(history.changes):
        if change.status != history.changes[-1].status:
            break
        since = change.occurred_at
    return since


def furthest(changes: Iterable[Change], statuses: Statuses) -> int:
    """Return the place in the funnel of the furthest step that the changes show."""
    return max((STEPS.index(statuses[change.status].funnel_step) for change in changes), default=0)
