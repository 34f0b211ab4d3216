"""What every mart needs: the histories, the moment, and what the user set."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import floor
from typing import Any

from .history import Change, History
from .reference import DEFAULT_STATUSES, TERMINAL_STAGES, Statuses, Studies, stage_of, study_of
from .tables import furthest

Row = dict[str, Any]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Workspace:
    """Histories up to as-of, with reference data and vars."""

    histories: list[History]
    as_of: datetime
    statuses: Statuses = field(default_factory=lambda: DEFAULT_STATUSES)
    studies: Studies = field(default_factory=dict)
    contact_flags: Mapping[str, str] = field(default_factory=dict)  # person: set by hand in Rally
    opt_outs: Mapping[str, list[tuple[datetime, bool]]] = field(default_factory=dict)  # person: events, out or in
    report_timezone: tzinfo = UTC
    daily_tables_from: date = date(2000, 1, 1)
    incentive_sla_days: int = 5
    invitation_cooldown_days: int = 7
    participation_cooldown_days: int = 30

    def by_study(self) -> dict[str, list[History]]:
        """Group the histories by study, in the order of ids."""
        groups: dict[str, list[History]] = defaultdict(list)
        for history in sorted(self.histories, key=lambda history: history.study_id):
            groups[history.study_id].append(history)
        return groups

    def stage(self, history: History, change: Change) -> str:
        """Name the stage a change leads to."""
        return stage_of(change.status, history.study_id, self.statuses, self.studies)

    def current_stage(self, history: History) -> str:
        """Name the stage a participant is in."""
        return self.stage(history, history.changes[-1])

    def is_terminal(self, history: History) -> bool:
        """Say whether a participant is in a terminal stage."""
        return self.current_stage(history) in TERMINAL_STAGES

    def furthest(self, history: History) -> int:
        """Return the place in the funnel of a participant's furthest step."""
        return furthest(history.changes, self.statuses)

    def within(self, at: datetime, days: int) -> bool:
        """Say whether `at` is in the window of n times 24 hours up to as-of."""
        return self.as_of - days * DAY < at <= self.as_of

    def is_closed(self, study_id: str) -> bool:
        """Say whether a study is closed as of then, from the beginning of that day on."""
        closed_on = study_of(self.studies, study_id).closed_on
        return closed_on is not None and date.fromisoformat(closed_on) <= self.day(self.as_of)

    def day(self, at: datetime) -> date:
        """Cut a day in the report's time zone."""
        return at.astimezone(self.report_timezone).date()

    def end_of(self, day: date) -> datetime:
        """Return the first instant after a day."""
        midnight = datetime.combine(day + DAY, time(), tzinfo=self.report_timezone)
        return midnight.astimezone(UTC)

    def days_from(self, first: datetime) -> Iterator[date]:
        """List the days from one instant's to that of as-of, none of them before the daily tables begin."""
        day = max(self.day(first), self.daily_tables_from)
        while day <= self.day(self.as_of):
            yield day
            day += DAY


@dataclass(frozen=True)
class Visit:
    """An unbroken run of one stage or status. `ended_at` is None while it lasts."""

    history: History
    name: str
    started_at: datetime
    ended_at: datetime | None


def visits(history: History, name_of: Callable[[Change], str]) -> list[Visit]:
    """Cut a history into runs. One of inferred changes alone took no known time: left out."""
    runs: list[list[Change]] = []
    for change in history.changes:
        if not runs or name_of(runs[-1][0]) != name_of(change):
            runs.append([])
        runs[-1].append(change)
    ends = [run[0].occurred_at for run in runs[1:]] + [None]
    return [
        Visit(history, name_of(run[0]), run[0].occurred_at, end)
        for run, end in zip(runs, ends, strict=True)
        if not all(change.is_inferred for change in run)
    ]


def percentile(values: Iterable[float], share: float) -> float | None:
    """Interpolate linearly between the nearest ranks, as numpy does by default."""
    ranked = sorted(values)
    if not ranked:
        return None
    place = (len(ranked) - 1) * share
    below = ranked[floor(place)]
    above = ranked[min(floor(place) + 1, len(ranked) - 1)]
    return below + (above - below) * (place - floor(place))


def ratio(part: float, whole: float) -> float | None:
    """Divide; nobody in the denominator gives None."""
    return part / whole if whole else None


def first_time(changes: Iterable[Change], statuses: Iterable[str]) -> datetime | None:
    """Find when one of the statuses was first delivered."""
    wanted = set(statuses)
    times = (change.occurred_at for change in changes if change.status in wanted)
    return min(times, default=None)
