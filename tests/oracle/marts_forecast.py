"""How many of those already invited complete in the coming days, and how many more to invite."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from math import sqrt
from statistics import NormalDist

from .history import histories
from .lines import Delivery
from .marts_incidence import Point, Spell, curve, spells
from .tables import study_types
from .workspace import Workspace

FEWEST_SPELLS = 30
FOLLOWED_HOURS = 168
LAST_DAY = 56
RECENT = timedelta(days=14)
"""A study's pace is that of so many days."""


@dataclass(frozen=True)
class Forecast:
    """A study so many days ahead: the chance of each who is active, and the share of those invited today."""

    days: int
    is_own: bool
    spells: int
    chances: tuple[float, ...]
    invited_share: float
    pace_variance: float

    @property
    def expected(self) -> float:
        """How many complete by then."""
        return sum(self.chances)

    @property
    def variance(self) -> float:
        """Everyone on their own, and all of them at another pace."""
        return self.own_variance + self.pace_variance * self.expected**2

    @property
    def own_variance(self) -> float:
        """Everyone on their own."""
        return sum(chance * (1 - chance) for chance in self.chances)


def forecasts(workspace: Workspace, before: Workspace) -> dict[tuple[str, int], Forecast]:
    """Return the forecast of each open study, by days ahead; `before` is the same workspace as of two weeks before."""
    types = study_types(workspace.histories, workspace.studies)
    by_study, known_before = _by_study(workspace), _by_study(before)
    curves: dict[str, tuple[bool, int, list[Point]]] = {}
    for study_id, own in by_study.items():
        study = workspace.studies.get(study_id)
        of_type = [spell for name, some in by_study.items() if types[name] == types[study_id] for spell in some]
        is_own = _is_enough_history(own)
        source = own if is_own else of_type
        is_closed = study and study.closed_on and study.closed_on <= workspace.day(workspace.as_of).isoformat()
        if not is_closed and _is_enough_history(source):
            points = curve([(spell.hours(in_days=False), spell.outcome) for spell in source])
            curves[study_id] = is_own, len(source), points
    recent = {
        study_id: _recent(points, by_study[study_id], known_before[study_id])
        for study_id, (is_own, _, points) in curves.items()
        if is_own and known_before[study_id]
    }
    counted = [(completed, expected) for completed, expected in recent.values() if expected >= 1]
    excess = sum(min((completed - expected) ** 2 / expected, 1e4) - 1 for completed, expected in counted)
    spread = max(0.0, excess / sum(expected for _, expected in counted)) if counted else 0.0
    found = {}
    for study_id, (is_own, number, points) in curves.items():
        completed, expected = recent.get(study_id, (0, 0.0))
        pace = (1 + spread * completed) / (1 + spread * expected)
        pace_variance = spread + spread / (1 + spread * completed)
        ages = [spell.hours(in_days=False) for spell in by_study[study_id] if spell.outcome == "active"]
        for days in range(1, LAST_DAY + 1):
            chances = tuple(min(pace * _chance(points, age, age + 24 * days), 1.0) for age in ages)
            share = min(pace * _share(points, 24 * days), 1.0)
            found[study_id, days] = Forecast(days, is_own, number, chances, share, pace_variance)
    return found


def two_weeks_earlier(workspace: Workspace, changes: list[Delivery]) -> Workspace:
    """Return the workspace as of two weeks before."""
    as_of = workspace.as_of - RECENT
    return replace(workspace, histories=histories(changes, as_of, workspace.statuses), as_of=as_of)


def _is_enough_history(some: list[Spell]) -> bool:
    return len(some) >= FEWEST_SPELLS and max(spell.hours(in_days=False) for spell in some) >= FOLLOWED_HOURS


def _by_study(workspace: Workspace) -> dict[str, list[Spell]]:
    found: dict[str, list[Spell]] = defaultdict(list)
    for spell in spells(workspace):
        if spell.begins_with == "any_invitation":
            found[spell.study_id].append(spell)
    return found


def _recent(points: list[Point], now: list[Spell], before: list[Spell]) -> tuple[int, float]:
    """How many completed lately, and how many would have at the present rates, by the time that each was at risk."""

    def total(some: list[Spell]) -> float:
        times = [spell.hours(in_days=False) for spell in some]
        return sum(point.completed / point.at_risk * sum(time >= point.hours for time in times) for point in points)

    completed = [sum(spell.outcome == "completed" for spell in some) for some in (now, before)]
    return completed[0] - completed[1], total(now) - total(before)


def _share(points: list[Point], hours: int) -> float:
    return max((point.completed_curve[0] for point in points if point.hours <= hours), default=0.0)


def _chance(points: list[Point], age: int, later: int) -> float:
    active = min(point.active_after for point in points if point.hours <= age)
    return (_share(points, later) - _share(points, age)) / float(active) if active else 0.0


def at_least(chances: tuple[float, ...], number: int) -> float:
    """Return the exact chance that at least so many complete."""
    return sum(how_many(chances)[max(number, 0) :])


def how_many(chances: tuple[float, ...]) -> list[float]:
    """Return the exact chance that nobody, one, two, … complete: the Poisson-binomial distribution, by convolution."""
    distribution = [1.0]
    for chance in chances:
        stays, goes = [*distribution, 0.0], [0.0, *distribution]
        distribution = [a * (1 - chance) + b * chance for a, b in zip(stays, goes, strict=True)]
    return distribution


def invitations(forecast: Forecast, remaining: int, confidence: int, most: int = 100_000) -> int | None:
    """Return the fewest from which on any number is enough; None if no number is.

    Of m who are invited, m F are expected, and the uncertainty is that of those invited before, of the m, and of F.
    """
    z = NormalDist().inv_cdf(confidence / 100)
    f, n = forecast.invited_share, forecast.spells
    v = f * (1 - f)

    def is_enough(m: int) -> bool:
        spread = sqrt(forecast.variance + m * v * n / (n + 1) + m * m * v / (n + 1))
        return forecast.expected + m * f - remaining >= z * spread - 1e-6

    if is_enough(0) and forecast.expected >= remaining:
        return 0
    if f * f <= z * z * v / (n + 1) + 1e-9:
        return None
    upper = next(m for m in (2**power for power in count()) if (is_enough(m) and m > remaining) or m > most)
    return max((m for m in range(upper) if not is_enough(m)), default=-1) + 1
