"""One participant's way through a study."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.generate import pace
from pipelines.generate.clock import HOUR
from pipelines.generate.paths import Pace, Paths

SLOTS = 100
Change = tuple[int, str]
"""When, in the clock's milliseconds, and the new status."""

_PACES: dict[Pace, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "at once": (pace.AT_ONCE, pace.ANY_TIME),
    "person in minutes": (pace.MINUTES, pace.ANY_TIME),
    "person in hours": (pace.HOURS, pace.AWAKE),
    "person in days": (pace.DAYS, pace.AWAKE),
    "team in hours": (pace.HOURS, pace.AT_WORK),
    "team in days": (pace.DAYS, pace.AT_WORK),
}


@dataclass(slots=True)
class Place:
    """A status on a path, with what follows it: a hundred equally likely slots, `None` to stay."""

    status: str
    slots: "list[tuple[Place, tuple[int, ...], tuple[int, ...]] | None]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BulkEdit:
    """The team moves everyone who is in one of `statuses` to `place` in the one second that starts at `moment`."""

    moment: int
    statuses: frozenset[str]
    place: Place


def places(table: Paths) -> dict[str, Place]:
    """A path table as linked places, by name."""
    names = dict.fromkeys([*table, *(name for branches in table.values() for _, name, _ in branches)])
    linked = {name: Place(name.split(" ")[0]) for name in names}
    for name, place in linked.items():
        for share, following, kind in table.get(name, ()):
            place.slots += [(linked[following], *_PACES[kind])] * share
        place.slots += [None] * (SLOTS - len(place.slots))
    return linked


def journey(start: Place, added: int, end: int, edit: BulkEdit | None, random: Callable[[], float]) -> list[Change]:
    """The changes before `end` of a participant added at `added`, in order, with a bulk edit where it applies."""
    changes: list[Change] = []
    _walk(start, added, end, random, changes)
    if edit and added < edit.moment < end:
        before = bisect_left(changes, (edit.moment, ""))
        if changes[before - 1][1] in edit.statuses:
            del changes[before:]
            _walk(edit.place, edit.moment + int(random() * 1_000), end, random, changes)
    return changes


def _walk(place: Place, moment: int, end: int, random: Callable[[], float], changes: list[Change]) -> None:
    while moment < end:
        changes.append((moment, place.status))
        step = place.slots[int(random() * SLOTS)]
        if step is None:
            return
        place, durations, waits = step
        moment += durations[int(random() * pace.QUANTILES)]
        moment += waits[moment // HOUR % pace.WEEK_HOURS]
