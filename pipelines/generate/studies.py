"""The studies of a recipe."""

from dataclasses import dataclass
from functools import cache

from pipelines.generate.clock import DAY, HOUR, SECOND, Clock
from pipelines.generate.ids import IdSource
from pipelines.generate.journeys import BulkEdit, Place, places
from pipelines.generate.pace import AT_WORK, WEEK_HOURS
from pipelines.generate.paths import Kind, Screener, paths

RECRUITED = 0.85
"""Share of the days in which participants are added."""
OPENED = 0.7
"""Share of all participants before the last study opens."""
RECRUITING = 0.5
"""Share of all participants during which a study takes in new ones."""

_DESIGNS: tuple[tuple[Kind, Screener, bool], ...] = (
    ("interview", "automatic", True),
    ("survey", "none", True),
    ("unmoderated_test", "manual", True),
    ("interview", "none", True),
    ("survey", "none", False),
    ("mixed", "automatic", True),
    ("unmoderated_test", "none", True),
    ("interview", "manual", True),
)
_EDITS: dict[Kind, tuple[frozenset[str], str]] = {
    # A linked survey does not report completions, so the team enters them by hand.
    "survey": (frozenset({"SURVEY_STARTED"}), "SURVEY_COMPLETED"),
    # Recruiting is over.
    "interview": (frozenset({"INVITE_SENT", "SCREENER_STARTED", "INTERVIEW_INVITE_SENT"}), "CANCELLED"),
    "mixed": (frozenset({"NOT_STARTED", "INVITE_SENT"}), "CANCELLED"),
    # Paid outside Rally.
    "unmoderated_test": (frozenset({"UNMODERATED_TEST_STARTED", "UNMODERATED_TEST_COMPLETED"}), "INCENTIVE_SKIPPED"),
}
_EDIT_AFTER = 0.42


@dataclass(frozen=True, slots=True)
class Study:
    """A study. It opens when the share `opens` of all participants has been added; `start` is where they enter."""

    number: int
    study_id: str
    kind: Kind
    pays: bool
    opens: float
    start: Place
    edit: BulkEdit | None


@cache
def _places(kind: Kind, screener: Screener, *, pays: bool) -> dict[str, Place]:
    return places(paths(kind, screener, pays=pays))


def make_studies(count: int, days: int, clock: Clock, ids: IdSource) -> list[Study]:
    """`count` studies in the order they open, designs in turn; three of four have a bulk edit."""
    studies = []
    for number in range(count):
        kind, screener, pays = _DESIGNS[number % len(_DESIGNS)]
        opens = number / count * OPENED
        opened = recruited_at(opens, days, clock)
        linked = _places(kind, screener, pays=pays)
        statuses, place = _EDITS[kind]
        edited = at_work(opened + int(_EDIT_AFTER * days * DAY)) // SECOND * SECOND
        edit = BulkEdit(edited, statuses, linked[place]) if number % 4 else None
        studies.append(Study(number, ids.make(clock.unix(opened)), kind, pays, opens, linked["NOT_STARTED"], edit))
    return studies


def recruited_at(share: float, days: int, clock: Clock) -> int:
    """When the share of all participants has been added: in working hours, unless the days end before."""
    moment = clock.start + int(share * days * RECRUITED * DAY)
    worked = at_work(moment)
    return worked if worked < clock.end else moment


def at_work(moment: int) -> int:
    """The moment itself or one in the working hours that follow."""
    return moment + AT_WORK[moment // HOUR % WEEK_HOURS]
