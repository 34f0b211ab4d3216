"""Make the DuckDB file for tables that Spark built: views over Parquet files, so that all commands work as usual.

Each table has two views: `parquet.marts_participants` reads the files, and `marts.participants` casts the columns to
the types in the YAML. A sandboxed connection, which cannot read files, only replaces the first one
(pipelines/warehouse.py).
"""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

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
"""The views that `make_views` made for tables that are not in $kept. The files of their build will be deleted."""


def make_views(connection: duckdb.DuckDBPyConnection, nodes: Iterable[Any], folder: Path) -> None:
    """Make the views of tables that Spark built in a folder, and drop those of tables that only an earlier build had.

    `nodes`: the tables in dbt's manifest.
    """
    if has_table(connection, "parquet", "folders"):
        kept = [f"{node.schema}_{node.alias}" for node in nodes]
        for schema, view in connection.execute(OTHER_VIEWS, {"kept": kept}).fetchall():
            connection.execute(f'drop view "{schema}"."{view}"')
            drop_view_of_files(connection, f"{schema}_{view}")
    for node in nodes:
        _make(connection, node, folder)


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


def _make(connection: duckdb.DuckDBPyConnection, node: Any, folder: Path) -> None:  # noqa: ANN401
    name, view = f"{node.schema}_{node.alias}", f"{node.schema}.{node.alias}"
    make_view_of_files(connection, name, [folder / f"{node.schema}.db" / node.alias])
    columns = [str(column) for column, *_ in connection.execute(f"describe parquet.{name}").fetchall()]
    described = {column.name: column for column in node.columns.values()}
    types = {column.name: column.data_type for column in described.values()}
    shown = ", ".join(f'{_typed(column, types.get(column))} as "{column}"' for column in columns)
    connection.execute(f"create schema if not exists {node.schema}")
    connection.execute(f"create or replace view {view} as select {shown} from parquet.{name}")  # noqa: S608
    if node.description:
        connection.execute(f"comment on view {view} is {literal(node.description)}")
    for column in columns:
        if column in described and (comment := described[column].description):
            connection.execute(f'comment on column {view}."{column}" is {literal(comment)}')


def _typed(column: str, kind: str | None) -> str:
    """SQL of a column, cast to its type in the YAML if there is one."""
    return CASTS.get(kind or "", f'cast("{{0}}" as {kind})' if kind else '"{0}"').format(column)
