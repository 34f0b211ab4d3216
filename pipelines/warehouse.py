"""Connections to the DuckDB warehouse. Everything is UTC, on every connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT, memory_limit, temp_directory


def raw_tables_ddl() -> str:
    """The SQL that makes the raw tables, from the dbt macro that also makes them."""
    source = (PROJECT / "macros" / "raw_tables.sql").read_text(encoding="utf-8")
    return str(jinja2.Template(source).module.raw_tables())  # type: ignore[attr-defined]


@contextmanager
def connect(database: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, closed at the end.

    Raises:
        StudyflowError: the file is missing (read-only), locked by another process, or no DuckDB database.
    """
    if read_only and not database.exists():
        msg = f"{database}: there is no warehouse here yet. Load data first: studyflow run --database {database}"
        raise StudyflowError(msg)
    try:
        if not read_only:
            database.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(database), read_only=read_only)
    except OSError as error:
        msg = f"{database}: cannot be made here ({error.strerror}). Choose another --database."
        raise StudyflowError(msg) from error
    except duckdb.Error as error:
        raise StudyflowError(_cannot_open(database, str(error))) from error
    try:
        connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        _bound(connection, database)
        yield connection
    finally:
        connection.close()


def _bound(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Hold the connection to the memory that it may use."""
    limit, folder = memory_limit(), temp_directory(database)
    try:
        connection.execute("set memory_limit = $limit", {"limit": limit})
        connection.execute("set temp_directory = $folder", {"folder": folder})
    except duckdb.Error as error:
        msg = f"STUDYFLOW_MEMORY_LIMIT is {limit!r}, which is no amount of memory. Write it like 4GB."
        raise StudyflowError(msg) from error


def _cannot_open(database: Path, error: str) -> str:
    if "lock" in error.lower():
        return f"{database}: another process has the warehouse open. Close it, or wait until it ends, then try again."
    if "not a valid DuckDB database" in error:
        return f"{database}: this is not a DuckDB database. Choose another --database, or move the file away."
    return f"{database}: the warehouse cannot be opened. DuckDB says: {error}"


def only_row(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | dict[str, Any] | None = None
) -> tuple[Any, ...]:
    """The row of a query that has exactly one. DuckDB wants a result fetched to its end before it goes on."""
    [row] = connection.execute(query, values).fetchall()
    return row


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the warehouse has the table or view yet."""
    query = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
    return bool(only_row(connection, query, [schema, table])[0])
