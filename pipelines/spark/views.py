"""Make the DuckDB file for tables that Spark built: views over Parquet files, so that all commands work as usual.

Each table has two views: `parquet.marts_participants` reads the files, and `marts.participants` casts the columns to
the types in the YAML. A sandboxed connection, which cannot read files, only replaces the first one
(pipelines/warehouse.py).
"""

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipelines.warehouse import has_table, literal

CASTS = {
    # Spark has no unsigned integers: it stores the same 64 bits as a signed one
    "ubigint": "cast(if({0} < 0, cast({0} as hugeint) + 18446744073709551616, {0}) as ubigint)",
}
"""SQL for types of DuckDB that a plain cast does not give."""

OTHER_VIEWS = """
select duckdb_views.schema_name, duckdb_views.view_name
from duckdb_views()
inner join parquet.folders on folders.view_name = concat(duckdb_views.schema_name, '_', duckdb_views.view_name)
where database_name = current_database() and schema_name <> 'raw' and folders.view_name not in (select unnest($kept::varchar[]))
"""
"""The views that `make_views` made for tables that are not in $kept."""


@dataclass(frozen=True, slots=True)
class SparkTable:
    """A table and the folders of its files. `types`: of columns, from the YAML. `comments`: of columns."""

    schema: str
    name: str
    folders: Sequence[Path]
    types: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)


def make_views(connection: duckdb.DuckDBPyConnection, tables: Iterable[SparkTable]) -> None:
    """Create the views of tables, replacing views with the same names."""
    for table in tables:
        _make(connection, table)


def drop_other_views(connection: duckdb.DuckDBPyConnection, tables: Iterable[SparkTable]) -> None:
    """Drop the views of tables that only an earlier build had: the files of that build will be deleted."""
    if not has_table(connection, "parquet", "folders"):
        return
    kept = [f"{table.schema}_{table.name}" for table in tables]
    for schema, view in connection.execute(OTHER_VIEWS, {"kept": kept}).fetchall():
        connection.execute(f'drop view "{schema}"."{view}"')
        drop_view_of_files(connection, f"{schema}_{view}")


def make_view_of_files(connection: duckdb.DuckDBPyConnection, name: str, folders: Sequence[Path]) -> None:
    """Create the view `parquet.<name>` over all files in folders, and list these in `parquet.folders`."""
    connection.execute("create schema if not exists parquet")
    connection.execute("create table if not exists parquet.folders (view_name varchar, folders varchar[])")
    connection.execute(f"create or replace view parquet.{name} as from {parquet_files(folders)}")
    connection.execute("delete from parquet.folders where view_name = $1", [name])
    connection.execute("insert into parquet.folders values ($1, $2)", [name, [str(folder) for folder in folders]])


def drop_view_of_files(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop the view `parquet.<name>` if it exists."""
    if has_table(connection, "parquet", "folders"):
        connection.execute(f"drop view if exists parquet.{name}")
        connection.execute("delete from parquet.folders where view_name = $1", [name])


def parquet_files(folders: Iterable[Path]) -> str:
    """SQL that reads all Parquet files in folders."""
    patterns = ", ".join(literal(f"{glob.escape(str(folder))}/*.parquet") for folder in folders)
    return f"read_parquet([{patterns}], hive_partitioning = false)"


def _make(connection: duckdb.DuckDBPyConnection, table: SparkTable) -> None:
    name = f"{table.schema}_{table.name}"
    view = f"{table.schema}.{table.name}"
    make_view_of_files(connection, name, table.folders)
    columns = [str(column) for column, *_ in connection.execute(f"describe parquet.{name}").fetchall()]
    shown = ", ".join(f'{_typed(column, table.types.get(column))} as "{column}"' for column in columns)
    connection.execute(f"create schema if not exists {table.schema}")
    connection.execute(f"create or replace view {view} as select {shown} from parquet.{name}")  # noqa: S608
    comments = [f"comment on view {view} is {literal(table.comment)}"] if table.comment else []
    comments += [
        f'comment on column {view}."{column}" is {literal(table.comments[column])}'
        for column in columns
        if table.comments.get(column)
    ]
    for comment in comments:
        connection.execute(comment)


def _typed(column: str, kind: str | None) -> str:
    """SQL of a column, cast to its type in the YAML if there is one."""
    return CASTS.get(kind or "", f'cast("{{0}}" as {kind})' if kind else '"{0}"').format(column)
