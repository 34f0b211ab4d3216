"""The answer to a question: the formats it can be written in, and the usual kind, a list of rows with totals."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console

from pipelines.ask.show import Headings, Line, moment, more, put_lines, say
from pipelines.ask.stream import csv_lines, document
from pipelines.ask.warehouse import QueryResult
from pipelines.settings import ROWS_ON_A_TERMINAL


class Reply(Protocol):
    """What a question found, in the three forms in which a command writes it."""

    def as_csv(self) -> Iterator[str]:
        """The rows as CSV, line by line."""

    def as_json(self) -> Iterator[str]:
        """One JSON document, in parts."""

    def render(self, console: Console) -> None:
        """Print it for a person."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows in order, of which at most `limit` are shown, and totals of all of them.

    `kind` is what JSON calls the rows, `line` the cells of a row on a terminal, `notes` are lines below the rows, each with its
    style.
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
        """The same with at most `limit` rows; None: all, but on a terminal ROWS_ON_A_TERMINAL."""
        return replace(self, limit=limit)

    def as_csv(self) -> Iterator[str]:
        """A line for each row; every row has `as_of`."""
        return csv_lines(self.rows.first(self.limit))

    def as_json(self) -> Iterator[str]:
        """As-of, totals if there are any, and the rows."""
        totals = {} if self.totals is None else {"totals": self.totals}
        rows = self.rows.first(self.limit).records(without={"as_of"})
        return document({"as_of": self.as_of, **totals, self.kind: rows})

    def render(self, console: Console) -> None:
        """Print the first rows, then the notes."""
        limit = self.limit or ROWS_ON_A_TERMINAL
        say(console, f"as of {moment(self.as_of)} UTC", "dim")
        say(console)
        rows = self.rows.first(limit + 1).records()
        if rows:
            put_lines(console, self.headings, [self.line(row) for row in rows[:limit]])
        if len(rows) > limit:
            more(console, limit)
        for text, style in self.notes:
            say(console, text, style)
