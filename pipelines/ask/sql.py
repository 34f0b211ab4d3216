"""`studyflow sql`: runs a SQL query that the user wrote."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
from rich.console import Console

from pipelines.ask.show import show_rows
from pipelines.ask.stream import csv_lines, json_lines
from pipelines.ask.warehouse import QueryResult, run_sql
from pipelines.settings import ROWS_ON_A_TERMINAL


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
        """Print the first rows."""
        show_rows(self.rows, console, self.limit or ROWS_ON_A_TERMINAL)


def sql(connection: duckdb.DuckDBPyConnection, query: str, limit: int | None = None) -> SqlReply:
    """Run a query that the user wrote.

    Raises:
        StudyflowError: the query is empty, is invalid, or does more than read the warehouse.
    """
    return SqlReply(run_sql(connection, query), limit)
