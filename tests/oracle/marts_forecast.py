"""How many of those already invited complete in the coming days, and how many more to invite."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from math import sqrt
from statistics import NormalDist

from .marts_incidence import Point, Spell, curve, spells
from .tables import study_types
from .workspace import Workspace

FEWEST_SPELLS = 30
LAST_DAY = 56


@dataclass(frozen=True)
class Forecast:
    """A study so many days ahead: the chance of each who is active, and the share of those invited today."""

    days: int
    is_own: bool
    spells: int
    chances: tuple[float, ...]
    invited_share: float

    @property
    def expected(self) -> float:
        """How many complete by then."""
        return sum(self.chances)

    @property
    def variance(self) -> float:
        """Everyone on their own."""
        return sum(chance * (1 - chance) for chance in self.chances)


def forecasts(workspace: Workspace) -> dict[tuple[str, int], Forecast]:
    """Return the forecast of each open study, by days ahead."""
    types = study_types(workspace.histories, workspace.studies)
    by_study: dict[str, list[Spell]] = defaultdict(list)
    by_type: dict[str, list[Spell]] = defaultdict(list)
    for spell in spells(workspace):
        if spell.begins_with == "any_invitation":
            by_study[spell.study_id].append(spell)
            by_type[types[spell.study_id]].append(spell)
    found = {}
    for study_id, own in by_study.items():
        study = workspace.studies.get(study_id)
        is_own = len(own) >= FEWEST_SPELLS
        source = own if is_own else by_type[types[study_id]]
        is_closed = study and study.closed_on and study.closed_on <= workspace.day(workspace.as_of).isoformat()
        if is_closed or len(source) < FEWEST_SPELLS:
            continue
        points = curve([(spell.hours(in_days=False), spell.outcome) for spell in source])
        for days in range(1, LAST_DAY + 1):
            ages = [spell.hours(in_days=False) for spell in own if spell.outcome == "active"]
            chances = tuple(_chance(points, age, age + 24 * days) for age in ages)
            found[study_id, days] = Forecast(days, is_own, len(source), chances, _share(points, 24 * days))
    return found


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
