"""`studyflow sql`: runs a SQL query that the user wrote, and prints any result as a table or as records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.ask.show import print_limit_note, print_line
from pipelines.ask.stream import csv_lines, json_lines
from pipelines.ask.values import as_text, is_number
from pipelines.ask.warehouse import QueryResult, ResultColumn, run_sql
from pipelines.plain import plain
from pipelines.settings import ROWS_ON_A_TERMINAL

_MIN_WIDTH = 18
"""Text is folded to this width at least. If a table would be too wide nevertheless, records are printed."""


@dataclass(frozen=True, slots=True)
class SqlReply:
    """The rows of a query, of which at most `limit` are shown."""

    rows: QueryResult
    limit: int | None

    def as_csv(self) -> Iterator[str]:
        """A line for each row."""
        return csv_lines(self.rows.first(self.limit))

    def as_json(self) -> Iterator[str]:
        """An array with an object for each row."""
        return json_lines(self.rows.first(self.limit))

    def render(self, console: Console) -> None:
        """Print the first rows: as a table if the console is wide enough, else as records."""
        limit, columns = self.limit or ROWS_ON_A_TERMINAL, self.rows.columns
        rows = list(self.rows.first(limit + 1).rows)
        texts = [[_text(value, column) for value, column in zip(row, columns, strict=True)] for row in rows[:limit]]
        show = _show_records if _min_width(columns, texts) > console.width else _show_table
        show(columns, texts, console)
        if len(rows) > limit:
            print_limit_note(console, limit)
        elif not rows:
            print_line(console, "No rows.", "dim")


def sql(connection: duckdb.DuckDBPyConnection, query: str, limit: int | None = None) -> SqlReply:
    """Run a query that the user wrote.

    Raises:
        StudyflowError: the query is empty, is invalid, or does more than read the warehouse.
    """
    return SqlReply(run_sql(connection, query), limit)


def _show_table(columns: Sequence[ResultColumn], rows: Sequence[list[Text]], console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        justify = "right" if is_number(column.type) else "left"
        table.add_column(Text(plain(column.name)), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    console.print(table, highlight=False)


def _show_records(columns: Sequence[ResultColumn], rows: Sequence[list[Text]], console: Console) -> None:
    for number, row in enumerate(rows, start=1):
        print_line(console, f"-- {number:,} --", "dim")
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", overflow="fold")
        grid.add_column(overflow="fold")
        for column, value in zip(columns, row, strict=True):
            grid.add_row(Text(plain(column.name)), value)
        console.print(grid, highlight=False)


def _min_width(columns: Sequence[ResultColumn], rows: Sequence[list[Text]]) -> int:
    """The smallest sensible width of a table: text may be folded to `_MIN_WIDTH`, numbers not."""
    widths = [
        min(
            max(len(column.name), *(row[place].cell_len for row in rows), 0),
            10_000 if is_number(column.type) else _MIN_WIDTH,
        )
        for place, column in enumerate(columns)
    ]
    return sum(widths) + 2 * (len(widths) - 1)


def _text(value: object, column: ResultColumn) -> Text:
    if value is None:
        return Text("\u2013", style="dim")
    return Text(plain(as_text(value, column.type).replace("\r\n", "\n"), keep="\n"))
