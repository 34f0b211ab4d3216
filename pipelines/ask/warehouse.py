"""Read-only access to the warehouse for questions. Queries cannot change it and cannot reach other files."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
_CAST_TO_TEXT = {"INTERVAL", "TIMESTAMP_NS"}
"""Types that DuckDB converts to text, because Python has no exact equivalent (months, nanoseconds)."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result, with its DuckDB type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The columns and rows of a result. Rows are fetched as they are needed and can be read once, unless materialized."""

    columns: tuple[ResultColumn, ...]
    rows: Iterable[tuple[Any, ...]]

    def materialized(self) -> "QueryResult":
        """The result with all rows fetched: they can be read again, and the connection can run another query."""
        return QueryResult(self.columns, list(self.rows))

    def first(self, limit: int | None) -> "QueryResult":
        """The result with only the first `limit` rows; None means all."""
        return self if limit is None else QueryResult(self.columns, islice(self.rows, limit))

    def records(self, without: Collection[str] = ()) -> list[dict[str, Any]]:
        """All rows as dictionaries, without some columns."""
        named = [(place, column.name) for place, column in enumerate(self.columns) if column.name not in without]
        return [{name: row[place] for place, name in named} for row in self.rows]


def reading(database: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A connection that can only read this warehouse and whose settings are locked."""
    return connect(database, sandboxed=True)


def marts_as_of(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The as-of time of the marts.

    Raises:
        StudyflowError: the marts have not been built.
    """
    as_of = built_as_of(connection)
    if as_of is None or not has_table(connection, "marts", "participants"):
        msg = "The tables have not been built yet. Build them first: studyflow build, or all at once: studyflow run"
        raise StudyflowError(msg)
    return as_of


def ask(connection: duckdb.DuckDBPyConnection, name: str, **values: object) -> QueryResult:
    """Run the query in `name`.sql with these values for its parameters."""
    query = (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    return _result(connection.execute(query, values))


def run_sql(connection: duckdb.DuckDBPyConnection, query: str) -> QueryResult:
    """Run SQL that a user wrote. If it has several statements, the result is that of the last one.

    Raises:
        StudyflowError: the query is empty, is invalid, or does more than read the warehouse.
    """
    with explained_errors():
        statements = connection.extract_statements(query)
        if not statements:
            msg = 'The query is empty. Write one, e.g. studyflow sql "select * from marts.participants"'
            raise StudyflowError(msg)
        for statement in statements[:-1]:
            connection.execute(statement)
        result = _result(connection.execute(statements[-1]))
        is_select = statements[-1].type == duckdb.StatementType.SELECT
        if is_select and any(column.type in _CAST_TO_TEXT for column in result.columns):
            columns = ", ".join(
                f"cast(#{number} as varchar)" if column.type in _CAST_TO_TEXT else f"#{number}"
                for number, column in enumerate(result.columns, start=1)
            )
            last = statements[-1].query.strip().rstrip(";")
            as_text = _result(connection.execute(f"select {columns} from (\n{last}\n)"))  # noqa: S608
            result = QueryResult(result.columns, as_text.rows)
    return QueryResult(result.columns, _with_explained_errors(result.rows))


def _result(executed: duckdb.DuckDBPyConnection) -> QueryResult:
    columns = tuple(ResultColumn(str(name), str(kind)) for name, kind, *_ in executed.description or ())
    return QueryResult(columns, _rows(executed))


def _rows(executed: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := executed.fetchmany(ROWS_AT_ONCE):
        yield from rows


def _with_explained_errors(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    with explained_errors():
        yield from rows


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn DuckDB's errors about a user's query into StudyflowErrors, with an explanation where needed.

    Raises:
        StudyflowError: the block raised an error of DuckDB.
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
