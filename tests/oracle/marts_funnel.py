"""Section 5: funnels, their cohorts, who drops off, and how long recruiting takes."""

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise

from .history import History
from .marts_study import closed_or_full_studies
from .reference import COMPLETIONS, INVITATIONS, LET_GO, STEPS, TERMINAL_STAGES
from .tables import furthest
from .workspace import DAY, HOUR, Row, Workspace, first_time, percentile, ratio

WINDOWS = (7, 14, 30, 90)


def study_funnel(workspace: Workspace) -> list[Row]:
    """Study by step: a row for each step at which anyone was observed."""
    rows: list[Row] = []
    for study_id, histories in workspace.by_study().items():
        steps = _steps(workspace, histories)
        first = _reached(workspace, histories, steps[0])
        for before, step in pairwise([None, *steps]):
            assert step is not None
            reached = _reached(workspace, histories, step)
            previous = [] if before is None else _reached(workspace, histories, before)
            dropped = _dropped(workspace, histories, before, step)
            lost = sum(_is_lost(history.changes[-1].status, workspace.current_stage(history)) for history in dropped)
            hours = [] if before is None else _hours(workspace, histories, before, step)
            rows.append(
                {
                    "study_id": study_id,
                    "step": STEPS[step],
                    "step_order": step + 1,
                    "observed": sum(step in _observed(workspace, one) for one in histories),
                    "reached": len(reached),
                    "conversion_from_previous": ratio(len(reached), len(previous)),
                    "conversion_from_first": ratio(len(reached), len(first)),
                    "dropped_active": len(dropped) - lost,
                    "dropped_lost": lost,
                    "converted_timed": len(hours),
                    "median_hours_from_previous": percentile(hours, 0.5),
                    "p90_hours_from_previous": percentile(hours, 0.9),
                },
            )
    return rows


def study_funnel_cohorts(workspace: Workspace) -> list[Row]:
    """Study by week of first seen by step of the study's funnel."""
    rows: list[Row] = []
    for study_id, histories in workspace.by_study().items():
        steps = _steps(workspace, histories)
        for week in sorted({_week(workspace, history) for history in histories}):
            cohort = [one for one in histories if _week(workspace, one) == week]
            for step in steps:
                row: Row = {
                    "study_id": study_id,
                    "cohort_week": week,
                    "step": STEPS[step],
                    "step_order": step + 1,
                    "participants": len(cohort),
                    "reached": len(_reached(workspace, cohort, step)),
                }
                for days in WINDOWS:
                    matured = [one for one in cohort if _age(workspace, one) >= days * DAY]
                    row[f"matured_{days}d"] = len(matured)
                    row[f"reached_within_{days}d"] = sum(
                        _reached_within(workspace, one, step, days * DAY) for one in matured
                    )
                rows.append(row)
    return rows


def study_drop_off(workspace: Workspace) -> list[Row]:
    """Study by step not reached by status they stopped in."""
    rows: list[Row] = []
    ended = closed_or_full_studies(workspace)
    for study_id, histories in workspace.by_study().items():
        for before, step in pairwise(_steps(workspace, histories)):
            dropped = _dropped(workspace, histories, before, step)
            stopped = Counter((history.changes[-1].status, workspace.current_stage(history)) for history in dropped)
            rows += [
                {
                    "study_id": study_id,
                    "step": STEPS[step],
                    "step_order": step + 1,
                    "status": status,
                    "participants": count,
                    "share_of_drop": count / len(dropped),
                    "is_lost": _is_lost(status, stage),
                    "may_still_come": stage == "Pending Incentive"
                    or status == "INCENTIVE_SENT"
                    or not (stage in TERMINAL_STAGES or status in LET_GO or study_id in ended),
                }
                for (status, stage), count in sorted(stopped.items())
            ]
    return rows


def time_to_recruit(workspace: Workspace) -> list[Row]:
    """Participant: first invitation by email to the first completed activity at or after it."""
    rows: list[Row] = []
    for history in workspace.histories:
        invited_at = first_time(history.observed, INVITATIONS)
        if invited_at is None:
            continue
        later = [change for change in history.observed if change.occurred_at >= invited_at]
        completed_at = first_time(later, COMPLETIONS)
        if completed_at is None:
            continue
        rows.append(
            {
                "participant_id": history.participant_id,
                "person_id": history.person_id,
                "study_id": history.study_id,
                "invited_at": invited_at,
                "completed_at": completed_at,
                "hours": (completed_at - invited_at) / HOUR,
            },
        )
    return rows


def _is_lost(status: str, stage: str) -> bool:
    """Say whether nothing more is to come. An incentive that was sent can still be claimed."""
    return stage in TERMINAL_STAGES and status != "INCENTIVE_SENT"


def _observed(workspace: Workspace, history: History) -> set[int]:
    """Return the steps that the changes show. Everyone has `added`."""
    statuses = workspace.statuses
    return {0} | {STEPS.index(statuses[one.status].funnel_step) for one in history.changes}


def _steps(workspace: Workspace, histories: list[History]) -> list[int]:
    return sorted(set().union(*(_observed(workspace, history) for history in histories)))


def _reached(workspace: Workspace, histories: list[History], step: int) -> list[History]:
    return [history for history in histories if workspace.furthest(history) >= step]


def _dropped(
    workspace: Workspace,
    histories: list[History],
    before: int | None,
    step: int,
) -> list[History]:
    """List who reached the row before and not this one; before the first row there is none."""
    if before is None:
        return []
    return [one for one in histories if before <= workspace.furthest(one) < step]


def _hours(workspace: Workspace, histories: list[History], before: int, step: int) -> list[float]:
    """Time between first observed times; negative ones are left out, zero is not."""
    pairs = ((_first(workspace, one, before), _first(workspace, one, step)) for one in histories)
    return [(end - start) / HOUR for start, end in pairs if start and end and end >= start]


def _first(workspace: Workspace, history: History, step: int) -> datetime | None:
    """When a delivered change first showed the step."""
    at_step = {name for name, one in workspace.statuses.items() if one.funnel_step == STEPS[step]}
    return first_time(history.observed, at_step)


def _week(workspace: Workspace, history: History) -> date:
    """Return the Monday of the week in which the participant was first seen."""
    day = workspace.day(history.changes[0].occurred_at)
    return day - timedelta(days=day.weekday())


def _age(workspace: Workspace, history: History) -> timedelta:
    return workspace.as_of - history.changes[0].occurred_at


def _reached_within(workspace: Workspace, history: History, step: int, time: timedelta) -> bool:
    """Say whether the step or a later one was shown, by inferred changes too, in that time."""
    until = history.changes[0].occurred_at + time
    early = (change for change in history.changes if change.occurred_at <= until)
    return furthest(early, workspace.statuses) >= step
