"""Prints answers on a terminal: aligned columns, blanks for null, and control characters escaped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pipelines.plain import plain

_MIN_NAME = 12
"""Names are cut to this width at least to make a line fit. Ids and numbers are never cut."""

Line = Sequence[str] | str


def print_line(console: Console, text: str = "", style: str = "") -> None:
    """Print a line without wrapping it."""
    console.print(Text(plain(text), style=style), soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Headings:
    """The columns of a table. `right` are right-aligned, `shrink` may be cut to shorten lines, `styles` are by name."""

    names: Sequence[str]
    right: Collection[str] = ()
    shrink: str = ""
    styles: Mapping[str, str] = field(default_factory=dict)


def print_columns(console: Console, headings: Headings, lines: Sequence[Line]) -> None:
    """Print lines as aligned columns. A line that is a single string spans all columns. Empty columns are left out."""
    rows = [[plain(cell) for cell in line] for line in lines if not isinstance(line, str)]
    widths = {
        heading: max(cell_len(heading), *(cell_len(row[place]) for row in rows))
        for place, heading in enumerate(headings.names)
        if any(row[place] for row in rows)
    }
    if (shrink := headings.shrink) in widths:
        spare = console.width - sum(widths.values()) - 2 * (len(widths) - 1)
        widths[shrink] = max(min(widths[shrink], _MIN_NAME), widths[shrink] + min(spare, 0))

    def put(cells: Sequence[str], style: str) -> None:
        shown = []
        for heading, cell in zip(headings.names, cells, strict=True):
            if heading in widths:
                text = Text(cell, overflow="ellipsis")
                text.align("right" if heading in headings.right else "left", widths[heading])
                text.stylize(style or headings.styles.get(heading, ""))
                shown.append(text)
        line = Text("  ").join(shown)
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False)

    put(headings.names, "bold")
    row = iter(rows)
    for line in lines:
        if isinstance(line, str):
            print_line(console, line, "yellow")
        else:
            put(next(row), "")


def print_fields(console: Console, fields: dict[str, str]) -> None:
    """Print names and values, one pair on a line, without empty values."""
    longest = max(map(len, fields), default=0)
    for name, value in fields.items():
        if value:
            line = Text.assemble((name.ljust(longest + 2), "dim"), plain(value))
            console.print(line, soft_wrap=True, highlight=False)


def moment(value: datetime | None, *, seconds: bool = False) -> str:
    """An instant in UTC, e.g. `2026-07-31 18:00`; empty for None."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}" if seconds else f"{value:%Y-%m-%d %H:%M}"


def tenths(value: float | None) -> str:
    """A number with one decimal; empty for None."""
    return "" if value is None else f"{value:,.1f}"


def amount(cents: int | None, currency: str | None = None) -> str:
    """An amount in units of its currency, with the currency if known: `USD 12.50`; empty for None."""
    return "" if cents is None else f"{currency or ''} {cents / 100:,.2f}".lstrip()


def study_label(study_id: str, name: str | None) -> str:
    """The name and id of a study, or only its id if it has no name."""
    return f"{name} ({study_id})" if name else study_id


def print_limit_note(console: Console, limit: int) -> None:
    """Print a note that only the first rows are shown."""
    print_line(console, f"… only the first {limit:,}. More: --limit N, or into a file: --csv > FILE.csv", "dim")
