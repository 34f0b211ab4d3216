"""`studyflow sql`: what any SQL answers."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
from rich.console import Console

from pipelines.ask.show import show_rows
from pipelines.ask.stream import csv_lines, json_lines
from pipelines.ask.warehouse import QueryResult, ask_freely
from pipelines.settings import ROWS_ON_A_TERMINAL


@dataclass(frozen=True, slots=True)
class FreeAnswer:
    """Rows of any kind, of which at most `limit` are shown."""

    rows: QueryResult
    limit: int | None

    def as_csv(self) -> Iterator[str]:
        """A line for each row."""
        return csv_lines(self.rows.first(self.limit))

    def as_json(self) -> Iterator[str]:
        """An array with an object for each row."""
        return json_lines(self.rows.first(self.limit))

    def render(self, console: Console) -> None:
        """Print the first rows."""
        show_rows(self.rows, console, self.limit or ROWS_ON_A_TERMINAL)


def sql(connection: duckdb.DuckDBPyConnection, query: str, limit: int | None = None) -> FreeAnswer:
    """The answer to a query that somebody wrote.

    Raises:
        StudyflowError: there is no SQL in it, it is wrong, or it is more than a question.
    """
    return FreeAnswer(ask_freely(connection, query), limit)
