"""Replies to questions: the formats they have in common, and the usual kind, a list of rows with totals."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console

from pipelines.ask.show import Headings, Line, moment, print_columns, print_limit_note, print_line
from pipelines.ask.stream import csv_lines, document
from pipelines.ask.warehouse import QueryResult
from pipelines.settings import ROWS_ON_A_TERMINAL


class Reply(Protocol):
    """The answer to a question, in the three formats that commands write."""

    def as_csv(self) -> Iterator[str]:
        """Yield the rows as CSV, line by line."""

    def as_json(self) -> Iterator[str]:
        """Yield one JSON document, in parts."""

    def render(self, console: Console) -> None:
        """Print the reply as a table."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows, of which at most `limit` are shown, and totals of all rows.

    `kind` is the key of the rows in JSON. `line` makes the cells of a row for a terminal. `notes` are printed below the
    rows, each with its style.
    """

    as_of: datetime
    kind: str
    rows: QueryResult
    headings: Headings
    line: Callable[[dict[str, Any]], Line]
    totals: dict[str, Any] | None = None
    notes: Sequence[tuple[str, str]] = ()
    limit: int | None = None

    def first(self, limit: int | None) -> "Listing":
        """The listing with another limit. None means ROWS_ON_A_TERMINAL on a terminal, else all rows."""
        return replace(self, limit=limit)

    def as_csv(self) -> Iterator[str]:
        """A line for each row, with `as_of`."""
        return csv_lines(self.rows.first(self.limit))

    def as_json(self) -> Iterator[str]:
        """The as-of time, the totals if any, and the rows."""
        totals = {} if self.totals is None else {"totals": self.totals}
        rows = self.rows.first(self.limit).records(without={"as_of"})
        return document({"as_of": self.as_of, **totals, self.kind: rows})

    def render(self, console: Console) -> None:
        """Print the first rows, then the notes."""
        limit = self.limit or ROWS_ON_A_TERMINAL
        print_line(console, f"as of {moment(self.as_of)} UTC", "dim")
        print_line(console)
        rows = self.rows.first(limit + 1).records()
        if rows:
            print_columns(console, self.headings, [self.line(row) for row in rows[:limit]])
        if len(rows) > limit:
            print_limit_note(console, limit)
        for text, style in self.notes:
            print_line(console, text, style)
