"""Answers on a terminal: aligned, numbers to the right, nothing where there is nothing, and only text that is safe to show."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.ask.values import as_text, is_number
from pipelines.ask.warehouse import QueryResult, ResultColumn
from pipelines.plain import plain

# Columns of any answer are folded down to this many characters; where that is too wide, rows go one below the other.
_NARROWEST = 18
# Names are cut down to this many so that a line fits; ids and numbers never are.
_SHORTEST = 12

Line = Sequence[str] | str


def say(console: Console, text: str = "", style: str = "") -> None:
    """Print a line as it is, however long."""
    console.print(Text(plain(text), style=style), soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Headings:
    """The columns of a table of ours: which are to the right, which may be cut where a line must be shorter, and styles."""

    names: Sequence[str]
    right: Collection[str] = ()
    shrink: str = ""
    styles: Mapping[str, str] = field(default_factory=dict)


def put_lines(console: Console, headings: Headings, lines: Sequence[Line]) -> None:
    """Print lines as columns. A line that is one text goes across. Columns that have nothing at all are left out."""
    rows = [[plain(cell) for cell in line] for line in lines if not isinstance(line, str)]
    widths = {
        heading: max(cell_len(heading), *(cell_len(row[place]) for row in rows))
        for place, heading in enumerate(headings.names)
        if any(row[place] for row in rows)
    }
    if (shrink := headings.shrink) in widths:
        spare = console.width - sum(widths.values()) - 2 * (len(widths) - 1)
        widths[shrink] = max(min(widths[shrink], _SHORTEST), widths[shrink] + min(spare, 0))

    def put(cells: Sequence[str], style: str) -> None:
        shown = []
        for heading, cell in zip(headings.names, cells, strict=True):
            if heading in widths:
                text = Text(_fitted(cell, widths[heading], to_the_right=heading in headings.right))
                text.stylize(style or headings.styles.get(heading, ""))
                shown.append(text)
        line = Text("  ").join(shown)
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False)

    put(headings.names, "bold")
    row = iter(rows)
    for line in lines:
        if isinstance(line, str):
            say(console, line, "yellow")
        else:
            put(next(row), "")


def put_fields(console: Console, fields: dict[str, str]) -> None:
    """Print names and what is known of them, one on a line."""
    longest = max(map(len, fields), default=0)
    for name, value in fields.items():
        if value:
            line = Text.assemble((name.ljust(longest + 2), "dim"), plain(value))
            console.print(line, soft_wrap=True, highlight=False)


def moment(value: datetime | None, *, seconds: bool = False) -> str:
    """An instant in UTC as people write it; nothing for null."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}" if seconds else f"{value:%Y-%m-%d %H:%M}"


def tenths(value: float | None) -> str:
    """A number with one decimal; nothing for null."""
    return "" if value is None else f"{value:,.1f}"


def amount(cents: int | None, currency: str | None = None) -> str:
    """An amount in units of its currency, which is named where it is known; nothing for null."""
    return "" if cents is None else f"{currency or ''} {cents / 100:,.2f}".lstrip()


def study(study_id: str, name: str | None) -> str:
    """A study's name and id, or its id alone."""
    return f"{name} ({study_id})" if name else study_id


def more(console: Console, limit: int) -> None:
    """Say that there is more than was asked for."""
    say(console, f"… only the first {limit:,}. More: --limit N, or into a file: --csv > FILE.csv", "dim")


def show_rows(answer: QueryResult, console: Console, limit: int) -> None:
    """Print the first rows of any answer: as a table, or one below the other where too little of each would be seen."""
    rows = list(islice(answer.rows, limit + 1))
    shown = [[_shown(value, column) for value, column in zip(row, answer.columns, strict=True)] for row in rows[:limit]]
    if _needed(answer.columns, shown) > console.width:
        _show_records(answer.columns, shown, console)
    else:
        _show_table(answer.columns, shown, console)
    if len(rows) > limit:
        more(console, limit)
    elif not rows:
        say(console, "No rows.", "dim")


def _show_table(columns: Sequence[ResultColumn], rows: Sequence[list[Text]], console: Console) -> None:
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        justify = "right" if is_number(column.type) else "left"
        made.add_column(Text(plain(column.name)), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*row)
    console.print(made, highlight=False)


def _show_records(columns: Sequence[ResultColumn], rows: Sequence[list[Text]], console: Console) -> None:
    for number, row in enumerate(rows, start=1):
        say(console, f"-- {number:,} --", "dim")
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", overflow="fold")
        grid.add_column(overflow="fold")
        for column, value in zip(columns, row, strict=True):
            grid.add_row(Text(plain(column.name)), value)
        console.print(grid, highlight=False)


def _needed(columns: Sequence[ResultColumn], rows: Sequence[list[Text]]) -> int:
    """The width of a table whose text is folded as far as makes sense, and whose numbers are not."""
    widths = [
        min(
            max(len(column.name), *(row[place].cell_len for row in rows), 0),
            10_000 if is_number(column.type) else _NARROWEST,
        )
        for place, column in enumerate(columns)
    ]
    return sum(widths) + 2 * (len(widths) - 1)


def _shown(value: object, column: ResultColumn) -> Text:
    if value is None:
        return Text("\u2013", style="dim")
    return Text(plain(as_text(value, column.type).replace("\r\n", "\n"), keep="\n"))


def _fitted(cell: str, width: int, *, to_the_right: bool) -> str:
    blanks = width - cell_len(cell)
    if blanks < 0:
        return set_cell_size(cell, width - 1) + "…"
    return " " * blanks + cell if to_the_right else cell + " " * blanks
