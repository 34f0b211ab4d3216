"""One participant's way through a study."""

import csv
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.generate import clock
from pipelines.generate.clock import HOUR
from pipelines.generate.recipe import Recipe

PATHS = Path(__file__).with_name("paths.csv")
"""Which status follows which, how often (a share of a hundred) and how fast. Participants who take no branch stay.

A place is a status, or a status with a note after a space where what follows depends on how it was reached. A row
`only_for` some designs of a study does not hold for others; a name in braces is another place in each design.
"""
SLOTS = 100
Change = tuple[int, str]
"""The moment, and the new status."""

_PACES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "at once": (clock.AT_ONCE, clock.ANY_TIME),
    "person in minutes": (clock.MINUTES, clock.ANY_TIME),
    "person in hours": (clock.HOURS, clock.AWAKE),
    "person in days": (clock.DAYS, clock.AWAKE),
    "team in hours": (clock.HOURS, clock.AT_WORK),
    "team in days": (clock.DAYS, clock.AT_WORK),
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


def places(design: set[str], names: dict[str, str]) -> dict[str, Place]:
    """The paths of a study of a design as linked places, by name; `names` replace those in braces."""
    linked: dict[str, Place] = {}

    def place(name: str) -> Place:
        return linked.setdefault(name, Place(name.split(" ", maxsplit=1)[0]))

    with PATHS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["only_for"] or not design.isdisjoint(row["only_for"].split()):
                step = (place(row["next"].format_map(names)), *_PACES[row["pace"]])
                place(row["place"]).slots += [step] * int(row["share"])
    for one in linked.values():
        one.slots += [None] * (SLOTS - len(one.slots))
    return linked


def journey(
    start: Place, added: int, recipe: Recipe, edit: BulkEdit | None, random: Callable[[], float]
) -> list[Change]:
    """The changes of a participant added at `added`, in order, with a bulk edit where it applies."""
    changes: list[Change] = []
    _walk(start, added, recipe, random, changes)
    if edit and added < edit.moment < recipe.ends:
        before = bisect_left(changes, (edit.moment, ""))
        if changes[before - 1][1] in edit.statuses:
            del changes[before:]
            _walk(edit.place, edit.moment + int(random() * 1_000), recipe, random, changes)
    return changes


def _walk(place: Place, moment: int, recipe: Recipe, random: Callable[[], float], changes: list[Change]) -> None:
    end = recipe.ends
    while moment < end:
        changes.append((moment, place.status))
        step = place.slots[int(random() * SLOTS)]
        if step is None:
            return
        place, durations, waits = step
        if recipe.drift and waits is not clock.AT_WORK and random() < recipe.undone(moment):
            return
        moment += durations[int(random() * clock.QUANTILES)]
        moment += waits[moment // HOUR % clock.WEEK_HOURS]
