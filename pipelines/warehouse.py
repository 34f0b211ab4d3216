"""Connections to the DuckDB warehouse. Every connection has the time zone UTC."""

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
"""A row of a query: its values by column name."""
MAGIC, MAGIC_AT = b"DUCK", 8
"""Every DuckDB file has these bytes at this offset."""
SCHEMAS = frozenset({"raw", "staging", "intermediate", "marts", "audit", "reference", "state", "delta", "custom"})
TAKEN_NAMES = SCHEMAS | {"main", "memory", "temp", "system", "information_schema", "pg_catalog"}
"""Names that a database cannot have: those of its schemas, and those that DuckDB reserves."""
SEARCH_PATH = ["marts", "audit", "reference"]
"""Schemas whose tables questions can name without the schema."""
NOT_IN_PATH = re.compile(r"[?#\x00-\x1f\x7f]")
NOT_IN_NAME = re.compile(r"[\"';\\]")
HOLDER = re.compile(r"lock is held in (.+?) \(PID (\d+)\)")
"""The part of DuckDB's error that names the process that has the file open."""
NO_FILES = re.compile(r'No files found that match the pattern "(.+)/\*\.parquet"')
RAW_TABLES = PACKAGE / "macros" / "raw_tables.sql"
ON_EVERY_CONNECTION = "set timezone = 'UTC'; set enable_progress_bar = false"
SANDBOX = """
set enable_external_access = false;
-- Without this, `copy … to` may still write to the warehouse itself and to its WAL.
set disabled_filesystems = 'LocalFileSystem';
set lock_configuration = true;
"""


def macros_of(file: Path) -> Callable[..., Any]:
    """A function that calls macros of a file by name, without dbt. It gives a macro's return value or else its text."""
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
    """The SQL that creates the raw tables; dbt uses the same macro."""
    return str(macros_of(RAW_TABLES)("duckdb__raw_tables"))


def warehouse_format() -> int:
    """The format of the raw tables that this version makes and reads."""
    return int(macros_of(RAW_TABLES)("warehouse_format"))


def wal_of(database: Path) -> Path:
    """DuckDB's write-ahead log of a database. It exists only while a process writes, or after a writer was killed."""
    return database.with_name(f"{database.name}.wal")


@contextmanager
def connect(database: Path, *, read_only: bool = False, sandboxed: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, closed when the block ends.

    `sandboxed`: read-only, without access to other files, without a temporary directory, and with locked settings.

    Raises:
        StudyflowError: the database has a forbidden name, is missing (if read-only), is locked by another process, or
            is not a DuckDB database; or a query on a read-only connection failed for a known reason.
    """
    refuse_name(database)
    read_only = read_only or sandboxed
    if read_only and not database.exists():
        msg = f"{database}: there is no warehouse here yet. Load data first: studyflow run --database {database}"
        raise StudyflowError(msg)
    try:
        _refuse_other_files(database)
        connection = _open_sandboxed(database) if sandboxed else _open(database, read_only=read_only)
    except OSError as error:
        msg = f"{database}: cannot be created ({error.strerror}). Choose another --database."
        raise StudyflowError(msg) from error
    except duckdb.Error as error:
        raise StudyflowError(_why_not_opened(database, error)) from error
    try:
        yield connection
    except duckdb.Error as error:
        if read_only and (explanation := _explanation(database, error, is_question=sandboxed)):
            raise StudyflowError(explanation) from error
        raise
    finally:
        connection.close()


def _refuse_other_files(database: Path) -> None:
    """Refuse files that are no DuckDB database. DuckDB would open SQLite, CSV and JSON files, too."""
    if database.is_dir():
        msg = f"{database}: this is a folder. Name a file: --database {database / 'studyflow.duckdb'}"
        raise StudyflowError(msg)
    if database.is_file():
        with database.open("rb") as file:
            start = file.read(MAGIC_AT + len(MAGIC))
        if not start.endswith(MAGIC):
            msg = f"{database}: this is not a DuckDB database. Choose another --database, or move the file away."
            raise StudyflowError(msg)
    elif database.exists():  # e.g. a pipe: DuckDB would wait for a writer
        msg = f"{database}: not a regular file. Choose another --database."
        raise StudyflowError(msg)


def refuse_name(database: Path) -> None:
    """Refuse file names that cannot work. DuckDB and dbt name the database after its file, up to the first dot.

    Raises:
        StudyflowError: the path has a character that DuckDB or dbt cannot handle, or the name is reserved.
    """
    if found := NOT_IN_PATH.search(str(database)) or NOT_IN_NAME.search(database.name):
        msg = f"{database}: the path of a warehouse cannot contain {found.group()!r} there. Choose another --database."
        raise StudyflowError(msg)
    name = database.name.lstrip(".").split(".")[0]
    if name.lower() in TAKEN_NAMES:
        other = database.with_name("studyflow.duckdb")
        msg = f"{database}: a warehouse cannot be called {name!r}, which is the name of a schema. Choose another name, e.g. --database {other}"
        raise StudyflowError(msg)


def _open(database: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    temporary = os.environ.get("STUDYFLOW_TEMP_DIRECTORY") or f"{database}.tmp"
    connection = duckdb.connect(str(database), read_only=read_only, config=_config(temporary))
    connection.execute(ON_EVERY_CONNECTION)
    return connection


def _open_sandboxed(database: Path) -> duckdb.DuckDBPyConnection:
    """Attach the warehouse to an instance of DuckDB of its own, because connections of one instance share settings."""
    connection = duckdb.connect(":memory:", config=_config(temporary=""))
    try:
        connection.execute(ON_EVERY_CONNECTION)
        connection.execute(f"attach {literal(str(database))} (read_only)")
        # DuckDB gives it the same name as when it opens the file directly. Views contain this name.
        name = only_row(connection, "select database_name from duckdb_databases() where path is not null")[0]
        connection.execute(f'use "{name}"')
        if has_table(connection, "parquet", "folders"):
            _read_parquet_with_arrow(connection, name)
        query = (
            "select schema_name from duckdb_schemas() where database_name = $1 and schema_name in (select unnest($2))"
        )
        schemas = [schema for (schema,) in connection.execute(query, [name, SEARCH_PATH]).fetchall()]
        if schemas:
            path = ",".join(f'"{name}".{schema}' for schema in sorted(schemas, key=SEARCH_PATH.index))
            connection.execute("set search_path = $1", [path])
        connection.execute(SANDBOX)
    except (duckdb.Error, StudyflowError):
        connection.close()
        raise
    return connection


def _read_parquet_with_arrow(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Replace the views over Parquet files, in a warehouse that Spark made, by Arrow datasets of the same files.

    Queries can then read these files and no others. DuckDB's `allowed_directories` would also let them write there, and
    read any file through `..`.
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
    """DuckDB's memory limit, and the folder it spills to when that is reached. profiles.yml has the same defaults."""
    return {"memory_limit": memory_limit(), "temp_directory": temporary}


def memory_limit() -> str:
    """How much memory DuckDB may use, in DuckDB's notation."""
    return os.environ.get("STUDYFLOW_MEMORY_LIMIT") or "3GB"


def out_of_memory(error: duckdb.OutOfMemoryException) -> str:
    """The message for a query that needs more memory than the limit and may not spill to disk."""
    return (
        f"This needs more memory than the {memory_limit()} of STUDYFLOW_MEMORY_LIMIT, and questions never write to disk. "
        f"Ask for fewer rows or columns, or raise the limit. DuckDB says: {_first_line(error)}"
    )


def _explanation(database: Path, error: duckdb.Error, *, is_question: bool) -> str | None:
    """The message for an error while a warehouse is read; None if it is unexpected, i.e. a bug."""
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


def _why_not_opened(database: Path, error: duckdb.Error) -> str:
    text = str(error)
    limit = os.environ.get("STUDYFLOW_MEMORY_LIMIT")
    if "Could not set lock" in text:
        holder = HOLDER.search(text)
        who = f"{PurePath(holder[1]).name} (process {holder[2]})" if holder else "another process"
        return f"{database}: {who} has the warehouse open. Close it, or wait until it ends, then try again."
    if limit and ("Memory must have" in text or "Unknown unit for memory" in text):
        return f"STUDYFLOW_MEMORY_LIMIT is {limit!r}, not an amount of memory. Write e.g. 4GB"
    if limit and isinstance(error, duckdb.OutOfMemoryException):
        return f"STUDYFLOW_MEMORY_LIMIT is {limit!r}, too little to open the warehouse. Write e.g. 4GB"
    if "newer version of DuckDB" in text:
        return (
            f"{database}: a newer version of DuckDB made this file. Install the version of studyflow that made it, "
            "or choose another --database."
        )
    if is_damaged(text):
        return damaged(database, error)
    return f"{database}: the warehouse cannot be opened. DuckDB says: {_first_line(error)}"


def is_damaged(error: str) -> bool:
    """Whether this error of DuckDB means that the file is corrupt."""
    return "Corrupt database file" in error or "Could not read enough bytes" in error


def damaged(database: Path, error: duckdb.Error) -> str:
    """The message for a corrupt file."""
    return (
        f"{database}: this file is damaged ({_first_line(error)}). Restore a backup, or move the file away: "
        "studyflow run then builds it again from the webhook files."
    )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0]


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block does, or roll all of it back if the block fails."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # when the disk is full, DuckDB has already rolled back
            connection.rollback()
        raise


def literal(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def only_row(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | dict[str, Any] | None = None
) -> tuple[Any, ...]:
    """The row of a query that returns exactly one."""
    [row] = connection.execute(query, values).fetchall()  # DuckDB requires a result to be fetched to its end
    return row


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """All rows of a query."""
    result = connection.execute(query)
    names = [str(name) for name, *_ in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the warehouse has this table or view."""
    query = (
        "select count(*) from information_schema.tables "
        "where table_catalog = current_database() and table_schema = ? and table_name = ?"
    )
    return bool(only_row(connection, query, [schema, table])[0])
