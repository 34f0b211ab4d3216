"""The parts of a report, independent of the output format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from pipelines.report.questions import Answer, Scope

Tone = Literal["", "bad", "warn", "muted"]

HALF_PAGE = 72
"""The width of half a page of 1280 pixels, in letters."""
LONGEST_LINE = 26
"""The length of an id. Longer text is wrapped."""
GAP = 2


@dataclass(frozen=True, slots=True)
class Term:
    """The meaning of a number, and the caption of the first table that uses it.

    `source` is the column whose comment it is; empty if the query file has it.
    """

    anchor: str
    label: str
    meaning: str
    source: str
    table: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `tooltip` is shown on hover, `bar` (0 to 1) is drawn behind the text, `tone` is the urgency."""

    text: str
    tooltip: str = ""
    tone: Tone = ""
    bar: float | None = None
    href: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """The header of a column."""

    label: str
    term: Term | None
    is_number: bool


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table and its query. The first cell of a row is its header. `hidden_rows`: how many rows are not shown."""

    caption: str
    columns: list[ReportColumn]
    rows: list[list[Cell]]
    answer: Answer
    hidden_rows: int = 0
    empty: str = "None."

    @property
    def is_wide(self) -> bool:
        """Whether the table needs the whole width of the page, estimated from the letters in its columns.

        Numbers and ids stay on one line, other text is wrapped.
        """
        widths = 0
        for place, column in enumerate(self.columns):
            cells = [len(row[place].text) for row in self.rows]
            words = [len(word) for word in column.label.split()]
            longest = max(cells, default=0)
            widths += max(longest if column.is_number else min(longest, LONGEST_LINE), *words, 3) + GAP
        return widths > HALF_PAGE


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as inline SVG, its legend (label and colour), its query, and its numbers if no other table has them."""

    name: str
    caption: str
    svg: Markup
    legend: list[tuple[str, str]]
    answer: Answer
    data: ReportTable | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of the section What changed, and the same number for the earlier period."""

    term: Term
    number: int
    before: int


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do: for how many, what, details, urgency, the name of the table that lists them, and the command."""

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
        """The queries of the section, with their rows."""
        return [*(chart.answer for chart in self.charts), self.shares.answer, *(table.answer for table in self.tables)]


@dataclass(slots=True)
class Section:
    """A section with a second-level heading. `nav` is its title in the navigation."""

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
    not_needed: list[str]
    summary: list[ReportTable]
    sections: list[Section]
    overview: ReportTable
    studies: list[ReportedStudy]
    other_studies: int
    terms: Mapping[str, list[Term]]
    queries: list[Answer]
    numbers: dict[str, int]
