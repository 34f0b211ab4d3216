"""Connections to the DuckDB warehouse. Everything is UTC, on every connection."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT


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
        connection = duckdb.connect(str(database), read_only=read_only, config=_bounds(database))
    except OSError as error:
        msg = f"{database}: cannot be made here ({error.strerror}). Choose another --database."
        raise StudyflowError(msg) from error
    except duckdb.Error as error:
        raise StudyflowError(_cannot_open(database, str(error))) from error
    try:
        connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def _bounds(database: Path) -> dict[str, str | bool | int | float | list[str]]:
    """How much memory DuckDB may use, and where it goes on when that is full. profiles.yml has the same defaults."""
    return {
        "memory_limit": os.environ.get("STUDYFLOW_MEMORY_LIMIT", "3GB"),
        "temp_directory": os.environ.get("STUDYFLOW_TEMP_DIRECTORY", f"{database}.tmp"),
    }


def _cannot_open(database: Path, error: str) -> str:
    if "lock" in error.lower():
        return f"{database}: another process has the warehouse open. Close it, or wait until it ends, then try again."
    if "Memory must have" in error or "Unknown unit for memory" in error:
        return f"STUDYFLOW_MEMORY_LIMIT is {os.environ['STUDYFLOW_MEMORY_LIMIT']!r}, no amount of memory. Write: 4GB"
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
