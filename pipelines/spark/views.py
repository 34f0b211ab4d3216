"""The DuckDB file over what Spark made: a view for each table, with its comments, so that everything reads it as ever.

Two views a table: `parquet.marts_participants` is what lies in the files, and `marts.participants` gives it the types that
YAML says. Where DuckDB may reach no file (pipelines/warehouse.py), only the first is put in another's place.
"""

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipelines.warehouse import has_table, literal

CASTS = {
    # the same 64 bits, of which Spark takes the first for a sign
    "ubigint": "cast(if({0} < 0, cast({0} as hugeint) + 18446744073709551616, {0}) as ubigint)",
}
"""What takes more than a cast to be in the type of DuckDB's tables."""

OTHER_VIEWS = """
select duckdb_views.schema_name, duckdb_views.view_name
from duckdb_views()
inner join parquet.folders on folders.view_name = concat(duckdb_views.schema_name, '_', duckdb_views.view_name)
where database_name = current_database() and schema_name <> 'raw' and folders.view_name not in (select unnest($kept::varchar[]))
"""
"""The views that `make_views` made of other tables."""


@dataclass(frozen=True, slots=True)
class SparkTable:
    """A table and the folders that its files lie in. `types` has the types of YAML; `comments` are those of columns."""

    schema: str
    name: str
    folders: Sequence[Path]
    types: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)


def make_views(connection: duckdb.DuckDBPyConnection, tables: Iterable[SparkTable]) -> None:
    """Make the views of tables that have files, in the place of those of the same names."""
    for table in tables:
        _make(connection, table)


def drop_other_views(connection: duckdb.DuckDBPyConnection, tables: Iterable[SparkTable]) -> None:
    """Remove the views of tables that an earlier build had and this one has not: their files go with that build."""
    if not has_table(connection, "parquet", "folders"):
        return
    kept = [f"{table.schema}_{table.name}" for table in tables]
    for schema, view in connection.execute(OTHER_VIEWS, {"kept": kept}).fetchall():
        connection.execute(f'drop view "{schema}"."{view}"')
        drop_view_of_files(connection, f"{schema}_{view}")


def make_view_of_files(connection: duckdb.DuckDBPyConnection, name: str, folders: Sequence[Path]) -> None:
    """Make the view `parquet.<name>` of all files in folders, and note which these are."""
    connection.execute("create schema if not exists parquet")
    connection.execute("create table if not exists parquet.folders (view_name varchar, folders varchar[])")
    connection.execute(f"create or replace view parquet.{name} as from {parquet_files(folders)}")
    connection.execute("delete from parquet.folders where view_name = $1", [name])
    connection.execute("insert into parquet.folders values ($1, $2)", [name, [str(folder) for folder in folders]])


def drop_view_of_files(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Remove the view `parquet.<name>` if it is there."""
    if has_table(connection, "parquet", "folders"):
        connection.execute(f"drop view if exists parquet.{name}")
        connection.execute("delete from parquet.folders where view_name = $1", [name])


def parquet_files(folders: Iterable[Path]) -> str:
    """The files in folders, as a query names them."""
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
    """A column of a file in the type of YAML, if that says one."""
    return CASTS.get(kind or "", f'cast("{{0}}" as {kind})' if kind else '"{0}"').format(column)
