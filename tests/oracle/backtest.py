"""What forecasts of past weeks said, and what came of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import floor, sqrt
from statistics import NormalDist
from typing import NamedTuple

from .history import History, histories
from .lines import Delivery
from .marts_forecast import forecasts, two_weeks_earlier
from .marts_incidence import _spells_of
from .marts_study import standing_completions
from .reference import DEFAULT_STATUSES, Studies, study_of
from .tables import study_types
from .workspace import DAY, Workspace

LEVELS = (50, 80, 95)
HORIZONS = (7, 14, 28)
TOLERANCE = 1e-9


class Statement(NamedTuple):
    """What was said, and how many came; None where the day is still to come."""

    days: int
    number: int
    came: int | None
    was_full: bool | None


StatementsByKey = dict[tuple[datetime, str, str, int, int | None], Statement]
"""By moment, study, kind of statement, confidence, and days of those that say so many within some days."""


def statements(changes: list[Delivery], as_of: datetime, weeks: int, studies: Studies) -> StatementsByKey:
    """Make the forecasts as of each week before as-of, and count what came."""
    now = Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=studies)
    types = study_types(now.histories, studies)
    typed = {name: replace(study_of(studies, name), study_type=kind) for name, kind in types.items()}
    done = {one.participant_id: (one.study_id, at) for one in now.histories if (at := _completed_at(now, one))}
    found: StatementsByKey = {}
    for week in range(1, weeks + 1):
        moment = as_of - timedelta(weeks=week)
        then = Workspace(histories(changes, moment, DEFAULT_STATUSES), moment, studies=typed)
        active = {one.participant_id for one in then.histories if _is_active(then, one)}
        ahead = forecasts(then, two_weeks_earlier(then, changes))
        for study_id in {name for name, _ in ahead}:
            times = [(at, name in active) for name, (of, at) in done.items() if of == study_id]
            aim = typed[study_id].participation_limit
            missing = None if aim is None else aim - sum(at <= moment for at, _ in times)
            if missing is not None and missing <= 0:
                continue
            for level in LEVELS:
                z = NormalDist().inv_cdf(level / 100)
                sure = {
                    days: one.expected - z * sqrt(one.variance) + TOLERANCE
                    for (name, days), one in sorted(ahead.items())
                    if name == study_id
                }
                said = {("at_least", days): (days, floor(sure[days])) for days in HORIZONS if sure[days] >= 1}
                if missing is not None:
                    said = {key: (days, min(number, missing)) for key, (days, number) in said.items()}
                    first = next((days for days, number in sure.items() if number >= missing), None)
                    said |= {} if first is None else {("full_by", None): (first, missing)}  # type: ignore[dict-item]
                for (kind, horizon), (days, number) in said.items():
                    end = moment + days * DAY
                    came = sum(moment < at <= end and was_active for at, was_active in times)
                    was_full = None if kind == "at_least" else sum(at <= end for at, _ in times) >= (aim or 0)
                    found[moment, study_id, kind, level, horizon] = (
                        Statement(days, number, came, was_full) if end <= as_of else Statement(days, number, None, None)
                    )
    return found


def _completed_at(workspace: Workspace, history: History) -> datetime | None:
    standing = standing_completions(workspace, history)
    return min((history.changes[number - 1].occurred_at for number in standing.values()), default=None)


def _is_active(workspace: Workspace, history: History) -> bool:
    return any(
        spell.begins_with == "any_invitation" and spell.outcome == "active" for spell in _spells_of(workspace, history)
    )
