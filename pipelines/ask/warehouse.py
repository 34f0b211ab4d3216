"""The warehouse as questions read it: nothing in it can be changed, and no other file is within reach."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import StudyflowError
from pipelines.state import built_as_of
from pipelines.warehouse import connect, has_table, out_of_memory

ROWS_AT_ONCE = 5_000
# What Python has no type for that says the same: a month is not 30 days, and a nanosecond is something.
_SHOWN_BY_DUCKDB = {"INTERVAL", "TIMESTAMP_NS"}


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of an answer and its DuckDB type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows, read once and as they are needed, and their columns."""

    columns: tuple[ResultColumn, ...]
    rows: Iterator[tuple[Any, ...]]

    def held(self) -> "QueryResult":
        """The same, read to the end: one connection has one answer at a time."""
        return QueryResult(self.columns, iter(list(self.rows)))

    def first(self, limit: int | None) -> "QueryResult":
        """The first `limit` rows; None: all."""
        return self if limit is None else QueryResult(self.columns, islice(self.rows, limit))

    def records(self, without: Collection[str] = ()) -> list[dict[str, Any]]:
        """All rows, each by the names of its columns, perhaps without some."""
        named = [(place, column.name) for place, column in enumerate(self.columns) if column.name not in without]
        return [{name: row[place] for place, name in named} for row in self.rows]


@contextmanager
def reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads this warehouse and nothing else, and whose settings cannot be changed."""
    with connect(database, sandboxed=True) as connection:
        yield connection


def marts_as_of(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The time that the data of the marts is as of.

    Raises:
        StudyflowError: they are not there yet.
    """
    as_of = built_as_of(connection)
    if as_of is None or not has_table(connection, "marts", "participants"):
        msg = "The tables have not been built yet. Build them first: studyflow build, or all at once: studyflow run"
        raise StudyflowError(msg)
    return as_of


def ask(connection: duckdb.DuckDBPyConnection, question: str, **values: object) -> QueryResult:
    """What the .sql file of that name gives."""
    query = (Path(__file__).parent / f"{question}.sql").read_text(encoding="utf-8")
    return _answer(connection.execute(query, values))


def ask_freely(connection: duckdb.DuckDBPyConnection, query: str) -> QueryResult:
    """What any SQL gives; of several statements, what the last one gives.

    Raises:
        StudyflowError: there is no SQL in it, it is wrong, or it is more than a question.
    """
    with explained():
        statements = connection.extract_statements(query)
        if not statements:
            msg = 'The query is empty. Write one, e.g. studyflow sql "select * from marts.participants"'
            raise StudyflowError(msg)
        for statement in statements[:-1]:
            connection.execute(statement)
        answer = _answer(connection.execute(statements[-1]))
        is_select = statements[-1].type == duckdb.StatementType.SELECT
        if is_select and any(column.type in _SHOWN_BY_DUCKDB for column in answer.columns):
            shown = ", ".join(_shown(number, column) for number, column in enumerate(answer.columns, start=1))
            last = statements[-1].query.strip().rstrip(";")
            answer = QueryResult(answer.columns, _answer(connection.execute(f"select {shown} from (\n{last}\n)")).rows)  # noqa: S608
    return QueryResult(answer.columns, _explained_rows(answer.rows))


def _answer(result: duckdb.DuckDBPyConnection) -> QueryResult:
    columns = tuple(ResultColumn(str(name), str(kind)) for name, kind, *_ in result.description or ())
    return QueryResult(columns, _rows(result))


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(ROWS_AT_ONCE):
        yield from rows


def _explained_rows(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    with explained():
        yield from rows


def _shown(number: int, column: ResultColumn) -> str:
    return f"cast(#{number} as varchar)" if column.type in _SHOWN_BY_DUCKDB else f"#{number}"


@contextmanager
def explained() -> Iterator[None]:
    """For queries that people wrote: DuckDB's own message, and what it means where that is not plain.

    Raises:
        StudyflowError: in place of what DuckDB raises.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise StudyflowError(out_of_memory(error)) from error
    except duckdb.Error as error:
        msg = str(error)
        if isinstance(error, duckdb.PermissionException) or "LocalFileSystem" in msg:
            msg = f"Queries can reach only the warehouse, no other file. Write the result to a file with > FILE.csv. DuckDB says: {msg}"
        elif "read-only mode" in msg:
            msg = f"Queries only read the warehouse; nothing was changed. DuckDB says: {msg}"
        raise StudyflowError(msg) from error
