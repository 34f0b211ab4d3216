"""Makes the status changes of one participant in a study."""

import csv
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.generate import clock
from pipelines.generate.clock import HOUR
from pipelines.generate.recipe import Recipe

PATHS = Path(__file__).with_name("paths.csv")
"""Which status follows which, how often (in percent) and how fast. The rest of the participants stay where they are.

A place is a status, optionally with a note after a space, if the next steps depend on how the status was reached. A row
with `only_for` applies only to these study designs. A name in braces stands for a place that depends on the design.
"""
SLOTS = 100
Change = tuple[int, str]
"""The time, and the new status."""

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
    """A status on a path, with a hundred equally likely next steps: place, durations and waits, or None to stay."""

    status: str
    slots: "list[tuple[Place, tuple[int, ...], tuple[int, ...]] | None]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BulkEdit:
    """The team moves everyone in one of `statuses` to `place`, within one second from `moment`."""

    moment: int
    statuses: frozenset[str]
    place: Place


def places(design: set[str], names: dict[str, str]) -> dict[str, Place]:
    """The linked places of a study, by name. `design` selects rows of paths.csv, `names` fill in names in braces."""
    linked: dict[str, Place] = {}

    def place(name: str) -> Place:
        return linked.setdefault(name, Place(name.split(" ", maxsplit=1)[0]))

    with PATHS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["only_for"] or not design.isdisjoint(row["only_for"].split()):
                step = (place(row["next"].format_map(names)), *_PACES[row["pace"]])
                place(row["place"]).slots += [step] * int(row["share"])
    for each in linked.values():
        each.slots += [None] * (SLOTS - len(each.slots))
    return linked


def journey(
    start: Place, added: int, recipe: Recipe, edit: BulkEdit | None, random: Callable[[], float]
) -> list[Change]:
    """The changes of a participant who is added at `added`, in order, including a bulk edit if it applies."""
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
        if recipe.drift and waits is not clock.AT_WORK and random() < recipe.skipped_share(moment):
            return
        moment += durations[int(random() * clock.QUANTILES)]
        moment += waits[moment // HOUR % clock.WEEK_HOURS]
