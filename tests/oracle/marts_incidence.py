"""Incidence with a competing exit, after Aalen and Johansen, in fractions: no rounding but that of the bands."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import exp, log, sqrt
from statistics import NormalDist

from .history import History
from .reference import INVITATIONS, STEPS, TERMINAL_STAGES
from .tables import study_types
from .workspace import DAY, HOUR, Row, Workspace, visits

COMPLETION = STEPS.index("activity_completed")
SHOWN_DAYS = (*range(1, 15), *range(21, 92, 7))
FEWEST_AT_RISK = 10
FIRST_HOURS = timedelta(hours=72)
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Spell:
    """From an invitation, or a funnel step, to an exit. `outcome`: completed, lost, active or unseen."""

    study_id: str
    begins_with: str
    month: date
    duration: timedelta
    outcome: str

    def hours(self, *, in_days: bool) -> int:
        """Count begun hours of the first three days after an invitation, and begun days."""
        if self.begins_with == "any_invitation" and self.duration <= FIRST_HOURS and not in_days:
            return -(-self.duration // HOUR)
        return 24 * -(-self.duration // DAY)


def spells(workspace: Workspace) -> list[Spell]:
    """Return every spell of every participant."""
    return [spell for history in workspace.histories for spell in _spells_of(workspace, history)]


def _spells_of(workspace: Workspace, history: History) -> list[Spell]:
    def step(status: str) -> int:
        return STEPS.index(workspace.statuses[status].funnel_step)

    starts: dict[str, datetime] = {}
    for change in history.observed:
        if change.status in INVITATIONS:
            starts.setdefault("any_invitation", change.occurred_at)
        if step(change.status) < COMPLETION:
            starts.setdefault(STEPS[step(change.status)], change.occurred_at)
    seen = [change.occurred_at for change in history.observed if step(change.status) == COMPLETION]
    known = [change.occurred_at for change in history.changes if step(change.status) >= COMPLETION]
    stay = visits(history, lambda change: workspace.stage(history, change))[-1]
    found = []
    for begins_with, start in starts.items():
        if seen or known:
            outcome, end = ("completed", min(seen)) if seen else ("unseen", min(known))
            if min(known) < start:
                continue
        elif stay.name in TERMINAL_STAGES:
            outcome, end = "lost", max(stay.started_at, start)
            if begins_with != "any_invitation" and end == start:
                continue
        else:
            outcome, end = "active", workspace.as_of
        month = workspace.day(start).replace(day=1)
        found.append(Spell(history.study_id, begins_with, month, end - start, outcome))
    return found


@dataclass(frozen=True)
class Point:
    """A curve at one time: what happened, and what follows up to it."""

    hours: int
    completed: int
    lost: int
    at_risk: int
    at_risk_after: int
    active_after: Fraction
    completed_curve: tuple[float, float | None, float | None]
    lost_curve: tuple[float, float | None, float | None]
    variances: tuple[float, float]
    """Of the two shares."""


def curve(times: list[tuple[int, str]]) -> list[Point]:
    """Return a point for each distinct time of spells: hours, and outcome."""
    points: list[Point] = []
    survival = Fraction(1)
    shares = {"completed": Fraction(0), "lost": Fraction(0)}
    terms: dict[str, list[tuple[Fraction, Fraction, Fraction, Fraction]]] = {"completed": [], "lost": []}
    for hours in sorted({time for time, _ in times}):
        now = [outcome for time, outcome in times if time == hours]
        n = sum(time >= hours for time, _ in times)
        exits = {way: now.count(way) for way in shares}
        d = sum(exits.values())
        for way, count in exits.items():
            shares[way] += survival * Fraction(count, n)
            a = _ratio(d, (n - 1) * (n - d))
            b = survival**2 * _ratio(count * (n - count), n * n * (n - 1))
            c = survival * _ratio(count * (n - count), n * (n - d) * (n - 1))
            terms[way].append((shares[way], a, b, c))
        survival *= 1 - Fraction(d, n)
        variances = {way: _variance(share, terms[way]) for way, share in shares.items()}
        bands = [_band(share, variances[way]) for way, share in shares.items()]
        both = float(variances["completed"]), float(variances["lost"])
        points.append(
            Point(hours, exits["completed"], exits["lost"], n, n - len(now), survival, bands[0], bands[1], both)
        )
    return points


def _ratio(part: int, whole: int) -> Fraction:
    """A term with a zero denominator is zero."""
    return Fraction(part, whole) if whole else Fraction(0)


def _variance(share: Fraction, terms: list[tuple[Fraction, Fraction, Fraction, Fraction]]) -> Fraction:
    return sum(((share - f) ** 2 * a + b - 2 * (share - f) * c for f, a, b, c in terms), Fraction(0))


def _band(share: Fraction, variance: Fraction) -> tuple[float, float | None, float | None]:
    if share in {0, 1}:
        return float(share), None, None
    width = Z * sqrt(variance) / (float(share) * log(share))
    return float(share), float(share) ** exp(-width), float(share) ** exp(width)


def study_incidence(workspace: Workspace) -> list[Row]:
    """`marts.study_incidence`: by study, and by study type, at the days that are shown."""
    types = study_types(workspace.histories, workspace.studies)
    curves: dict[tuple[str | None, str, str, date | None], list[tuple[int, str]]] = defaultdict(list)
    for spell in spells(workspace):
        time = spell.hours(in_days=False), spell.outcome
        curves[spell.study_id, types[spell.study_id], spell.begins_with, None].append(time)
        curves[None, types[spell.study_id], spell.begins_with, None].append(time)
        if spell.begins_with == "any_invitation":
            curves[spell.study_id, types[spell.study_id], spell.begins_with, spell.month].append(
                (spell.hours(in_days=True), spell.outcome)
            )
    return [
        {"study_id": study_id, "study_type": study_type, "begins_with": begins_with, "started_month": month} | row
        for (study_id, study_type, begins_with, month), times in curves.items()
        for row in _shown(times)
    ]


def _shown(times: list[tuple[int, str]]) -> list[Row]:
    points = curve(times)
    rows: list[Row] = []
    for days in SHOWN_DAYS:
        if days * 24 > points[-1].hours:
            break
        past = [point for point in points if point.hours <= days * 24]
        at_risk = past[-1].at_risk_after if past else len(times)
        none = (0.0, None, None)
        completed, lost = (past[-1].completed_curve, past[-1].lost_curve) if past else (none, none)
        if at_risk < FEWEST_AT_RISK:
            completed = lost = (None, None, None)  # type: ignore[assignment]
        rows.append(
            {
                "days": days,
                "spells": len(times),
                "at_risk": at_risk,
                "completed": sum(point.completed for point in past),
                "lost": sum(point.lost for point in past),
                **dict(zip(("completed_share", "completed_low", "completed_high"), completed, strict=True)),
                **dict(zip(("lost_share", "lost_low", "lost_high"), lost, strict=True)),
            }
        )
    return rows
