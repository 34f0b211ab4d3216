"""The parts of a report, independent of its format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from pipelines.report.questions import Answer, Scope

Tone = Literal["", "bad", "warn", "muted"]

HALF_PAGE = 72
"""How many letters of a table half a page of 1280 pixels has room for."""
LONG_TEXT = 26
"""So long is an id; longer text is broken into lines."""
GAP = 2


@dataclass(frozen=True, slots=True)
class Term:
    """What a number means. `source` is the column that says so, empty where the query does."""

    anchor: str
    label: str
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, more of it on hover, how urgent it is, a bar behind it (0 to 1), where it leads."""

    text: str
    more: str = ""
    tone: Tone = ""
    bar: float | None = None
    href: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """The head of a column."""

    label: str
    term: Term | None
    is_number: bool


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table and the query it came from. The first cell of a row is its head. `rest`: rows that are not shown."""

    name: str
    caption: str
    columns: list[ReportColumn]
    rows: list[list[Cell]]
    answer: Answer
    rest: int = 0
    empty: str = "None."

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole page: by the letters of its columns, the cells of numbers and ids being on one line."""
        widths = 0
        for place, column in enumerate(self.columns):
            cells = [len(row[place].text) for row in self.rows]
            words = [len(word) for word in column.label.split()]
            longest = max(cells, default=0)
            widths += max(longest if column.is_number else min(longest, LONG_TEXT), *words, 3) + GAP
        return widths > HALF_PAGE


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture as inline SVG, what its colours mean, its query, and its numbers where no table has them."""

    name: str
    caption: str
    svg: Markup
    legend: list[tuple[str, str]]
    answer: Answer
    data: ReportTable | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of what changed, and the one before it."""

    term: Term
    number: int
    before: int


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done: how many wait for it, what it is, what to know, how urgent it is, where they are listed."""

    key: str
    number: int
    what: str
    details: list[str]
    tone: Tone
    list: str
    command: str


@dataclass(frozen=True, slots=True)
class ReportedStudy:
    """The section of one study."""

    anchor: str
    name: str
    study_id: str
    href: str
    facts: list[str]
    progress: tuple[str, float] | None
    stages: list[tuple[str, str, int]]
    charts: list[Chart]
    shares: ReportTable
    tables: list[ReportTable]

    @property
    def answers(self) -> list[Answer]:
        """The queries behind it."""
        return [*(one.answer for one in self.charts), self.shares.answer, *(one.answer for one in self.tables)]


@dataclass(slots=True)
class Section:
    """A heading of the second level with its notes, charts and tables."""

    anchor: str
    title: str
    nav: str
    note: str
    charts: list[Chart] = field(default_factory=list)
    tables: list[ReportTable] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """A whole report."""

    scope: Scope
    title: str
    is_since_report: bool
    facts: list[str]
    changed: Answer
    tiles: list[Tile]
    changes: list[ReportTable]
    actions: list[Action]
    nothing: list[str]
    summary: list[ReportTable]
    sections: list[Section]
    overview: ReportTable
    studies: list[ReportedStudy]
    other_studies: int
    glossary: Mapping[str, Term]
    queries: list[Answer]
    numbers: dict[str, int]
