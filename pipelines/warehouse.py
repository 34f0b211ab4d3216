"""Connections to the DuckDB warehouse. Everything is UTC, on every connection."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import duckdb
import jinja2

from pipelines.errors import StudyflowError
from pipelines.settings import PACKAGE

Row = dict[str, Any]
"""A row of a query by the names of its columns."""
MAGIC, MAGIC_AT = b"DUCK", 8
"""What every DuckDB file has near its start."""
SCHEMAS = frozenset({"raw", "staging", "intermediate", "marts", "audit", "reference", "state", "delta", "custom"})
TAKEN_NAMES = SCHEMAS | {"main", "memory", "temp", "system", "information_schema", "pg_catalog"}
"""What a database cannot be called: the schemas in it, and what DuckDB keeps for itself."""
UNNAMED = ["marts", "audit", "reference"]
"""Schemas whose tables questions find without naming the schema."""
NOT_IN_PATH = re.compile(r"[?#\x00-\x1f\x7f]")
NOT_IN_NAME = re.compile(r"[\"';\\]")
HOLDER = re.compile(r"lock is held in (.+?) \(PID (\d+)\)")
"""What DuckDB says of the process that has a file open."""
NO_FILES = re.compile(r'No files found that match the pattern "(.+)/\*\.parquet"')
ON_EVERY_CONNECTION = "set timezone = 'UTC'; set enable_progress_bar = false"
SANDBOX = """
set enable_external_access = false;
-- Without this, `copy … to` may still write to the warehouse itself and to its WAL.
set disabled_filesystems = 'LocalFileSystem';
set lock_configuration = true;
"""


def macros_of(file: Path) -> Callable[..., Any]:
    """The macros of a file without dbt: called by name, they give what they return or else the text they make."""
    returned: list[Any] = []
    module = _template(file).make_module({"return": returned.append})

    def call(name: str, *arguments: object) -> Any:  # noqa: ANN401 - lists or text
        returned.clear()
        text = getattr(module, name)(*arguments)
        return returned[0] if returned else str(text)

    return call


@cache
def _template(file: Path) -> jinja2.Template:
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL, not HTML
    return environment.from_string(file.read_text(encoding="utf-8"))


def raw_tables_ddl() -> str:
    """The SQL that makes the raw tables, from the dbt macro that also makes them."""
    return str(_raw_tables()("duckdb__raw_tables"))


def warehouse_format() -> int:
    """The format of the raw tables that this version makes and reads."""
    return int(_raw_tables()("warehouse_format"))


def _raw_tables() -> Callable[..., Any]:
    return macros_of(PACKAGE / "macros" / "raw_tables.sql")


def wal_of(database: Path) -> Path:
    """Where DuckDB writes first what is then put into the file; only there while a process writes, or after it died."""
    return database.with_name(f"{database.name}.wal")


@contextmanager
def connect(database: Path, *, read_only: bool = False, sandboxed: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, closed at the end.

    `sandboxed`: it is read-only, reaches no other file, has no temporary directory, and its settings cannot be changed.

    Raises:
        StudyflowError: it cannot have this name, is missing (read-only), locked by another process, or no DuckDB database.
    """
    refuse_name(database)
    read_only = read_only or sandboxed
    if read_only and not database.exists():
        msg = f"{database}: there is no warehouse here yet. Load data first: studyflow run --database {database}"
        raise StudyflowError(msg)
    try:
        _refuse_other_files(database)
        connection = _sandboxed(database) if sandboxed else _opened(database, read_only=read_only)
    except OSError as error:
        msg = f"{database}: cannot be created ({error.strerror}). Choose another --database."
        raise StudyflowError(msg) from error
    except duckdb.Error as error:
        raise StudyflowError(_cannot_open(database, error)) from error
    try:
        yield connection
    except duckdb.Error as error:
        if read_only and (said := _meaning(database, error, is_question=sandboxed)):
            raise StudyflowError(said) from error
        raise
    finally:
        connection.close()


def _refuse_other_files(database: Path) -> None:
    """DuckDB also opens SQLite, CSV and JSON files, or tries to, but as no warehouse."""
    if database.is_dir():
        msg = f"{database}: this is a folder. Name a file: --database {database / 'studyflow.duckdb'}"
        raise StudyflowError(msg)
    if database.is_file():
        with database.open("rb") as file:
            start = file.read(MAGIC_AT + len(MAGIC))
        if not start.endswith(MAGIC):
            msg = f"{database}: this is not a DuckDB database. Choose another --database, or move the file away."
            raise StudyflowError(msg)
    elif database.exists():  # DuckDB would wait for a pipe to be written
        msg = f"{database}: not a regular file. Choose another --database."
        raise StudyflowError(msg)


def refuse_name(database: Path) -> None:
    """DuckDB and dbt call the database by the start of its file name, beside its schemas and their own databases.

    Raises:
        StudyflowError: that would not work.
    """
    if found := NOT_IN_PATH.search(str(database)) or NOT_IN_NAME.search(database.name):
        msg = f"{database}: the path of a warehouse cannot contain {found.group()!r} there. Choose another --database."
        raise StudyflowError(msg)
    name = database.name.lstrip(".").split(".")[0]
    if name.lower() in TAKEN_NAMES:
        other = database.with_name("studyflow.duckdb")
        msg = f"{database}: a warehouse cannot be called {name!r}, which is the name of a schema. Choose another name, e.g. --database {other}"
        raise StudyflowError(msg)


def _opened(database: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    temporary = os.environ.get("STUDYFLOW_TEMP_DIRECTORY") or f"{database}.tmp"
    connection = duckdb.connect(str(database), read_only=read_only, config=_config(temporary))
    connection.execute(ON_EVERY_CONNECTION)
    return connection


def _sandboxed(database: Path) -> duckdb.DuckDBPyConnection:
    """Its own instance of DuckDB, so that other connections of the process neither share the settings nor meet the lock."""
    connection = duckdb.connect(":memory:", config=_config(temporary=""))
    try:
        connection.execute(ON_EVERY_CONNECTION)
        connection.execute(f"attach {literal(str(database))} (read_only)")
        # DuckDB chooses the same name for it as when it opens the file, which is in the views.
        name = only_row(connection, "select database_name from duckdb_databases() where path is not null")[0]
        connection.execute(f'use "{name}"')
        if has_table(connection, "parquet", "folders"):
            _hold_parquet(connection, name)
        there = (
            "select schema_name from duckdb_schemas() where database_name = $1 and schema_name in (select unnest($2))"
        )
        schemas = [schema for (schema,) in connection.execute(there, [name, UNNAMED]).fetchall()]
        if schemas:
            path = ",".join(f'"{name}".{schema}' for schema in sorted(schemas, key=UNNAMED.index))
            connection.execute("set search_path = $1", [path])
        connection.execute(SANDBOX)
    except (duckdb.Error, StudyflowError):
        connection.close()
        raise
    return connection


def _hold_parquet(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let Arrow read the Parquet files of a warehouse that Spark made: nothing that a query says leads to another file.

    DuckDB's `allowed_directories` would let queries write there, too, and read any file through `..`.
    """
    import pyarrow.dataset  # noqa: PLC0415 - takes a moment, and few warehouses have such files

    path = only_row(connection, "select path from duckdb_databases() where database_name = $1", [name])[0]
    folders = connection.execute("select view_name, folders from parquet.folders").fetchall()
    connection.execute(f'use memory; detach "{name}"; attach {literal(str(path))} as "file of {name}" (read_only)')
    connection.execute(
        f'attach \':memory:\' as "{name}"; copy from database "file of {name}" to "{name}"; use "{name}"'
    )
    connection.execute(f'detach "file of {name}"')
    for view, paths in folders:
        files = [file for folder in paths for file in sorted(Path(folder).glob("*.parquet"))]
        if not files:
            raise StudyflowError(_no_files(Path(paths[0])))
        connection.register(f"files of {view}", pyarrow.dataset.dataset(files, format="parquet"))
        connection.execute(f'create or replace view parquet."{view}" as from temp.main."files of {view}"')


def _no_files(folder: Path) -> str:
    return f"{folder}: this table has no files. Put the folder back, or build the tables again: studyflow run --engine spark"


def _config(temporary: str) -> dict[str, str | bool | int | float | list[str]]:
    """How much memory DuckDB may use, and where it goes on when that is full. profiles.yml has the same defaults."""
    return {"memory_limit": memory_limit(), "temp_directory": temporary}


def memory_limit() -> str:
    """How much memory DuckDB may use, as it writes it."""
    return os.environ.get("STUDYFLOW_MEMORY_LIMIT") or "3GB"


def out_of_memory(error: duckdb.OutOfMemoryException) -> str:
    """What to say of a query that needs more memory than there is where nothing may be written to disk."""
    return (
        f"This needs more memory than the {memory_limit()} of STUDYFLOW_MEMORY_LIMIT, and questions never write to disk. "
        f"Ask for fewer rows or columns, or raise the limit. DuckDB says: {_first_line(error)}"
    )


def _meaning(database: Path, error: duckdb.Error, *, is_question: bool) -> str | None:
    """What to say of an error while a warehouse is read; None of one that should not have happened."""
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return (
            f"{database}: another version of studyflow built these tables ({_first_line(error)}). "
            "Build them again: studyflow build"
        )
    if isinstance(error, duckdb.OutOfMemoryException) and is_question:
        return out_of_memory(error)
    if found := NO_FILES.search(str(error)):
        return _no_files(Path(found[1]))
    return damaged(database, error) if is_damaged(str(error)) else None


def _cannot_open(database: Path, error: duckdb.Error) -> str:
    said = str(error)
    limit = os.environ.get("STUDYFLOW_MEMORY_LIMIT")
    if "Could not set lock" in said:
        holder = HOLDER.search(said)
        who = f"{PurePath(holder[1]).name} (process {holder[2]})" if holder else "another process"
        return f"{database}: {who} has the warehouse open. Close it, or wait until it ends, then try again."
    if limit and ("Memory must have" in said or "Unknown unit for memory" in said):
        return f"STUDYFLOW_MEMORY_LIMIT is {limit!r}, not an amount of memory. Write e.g. 4GB"
    if limit and isinstance(error, duckdb.OutOfMemoryException):
        return f"STUDYFLOW_MEMORY_LIMIT is {limit!r}, too little to open the warehouse. Write e.g. 4GB"
    if "newer version of DuckDB" in said:
        return (
            f"{database}: a newer version of DuckDB made this file. Install the version of studyflow that made it, "
            "or choose another --database."
        )
    if is_damaged(said):
        return damaged(database, error)
    return f"{database}: the warehouse cannot be opened. DuckDB says: {_first_line(error)}"


def is_damaged(error: str) -> bool:
    """Whether DuckDB complains of what the file holds."""
    return "Corrupt database file" in error or "Could not read enough bytes" in error


def damaged(database: Path, error: duckdb.Error) -> str:
    """What to say of a file like that."""
    return (
        f"{database}: this file is damaged ({_first_line(error)}). Restore a backup, or move the file away: "
        "studyflow run then builds it again from the webhook files."
    )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0]


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that the block does, or nothing of it where it ends with an error."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # where the disk is full, DuckDB has done that
            connection.rollback()
        raise


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def only_row(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | dict[str, Any] | None = None
) -> tuple[Any, ...]:
    """The row of a query that has exactly one. DuckDB wants a result fetched to its end before it goes on."""
    [row] = connection.execute(query, values).fetchall()
    return row


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """All rows of a query, each by the names of its columns."""
    answer = connection.execute(query)
    names = [str(name) for name, *_ in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the warehouse has the table or view yet."""
    query = (
        "select count(*) from information_schema.tables "
        "where table_catalog = current_database() and table_schema = ? and table_name = ?"
    )
    return bool(only_row(connection, query, [schema, table])[0])
