"""The DuckDB file over what Spark made: a view for each table, with its comments, so that everything reads it as ever.

Two views a table: `parquet.marts_participants` is what lies in the files, and `marts.participants` gives it the types that
YAML says. Where DuckDB may reach no file (pipelines/warehouse.py), only the first is put in another's place.
"""

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

CASTS = {
    "hugeint": "cast({0} as hugeint)",
    # the same 64 bits, of which Spark takes the first for a sign
    "ubigint": "cast(if({0} < 0, cast({0} as hugeint) + 18446744073709551616, {0}) as ubigint)",
}
"""What Parquet files of Spark have in another type than DuckDB's tables."""


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
    connection.execute("create schema if not exists parquet")
    connection.execute("create table if not exists parquet.folders (view_name varchar, folders varchar[])")
    for table in tables:
        _make(connection, table)


def _make(connection: duckdb.DuckDBPyConnection, table: SparkTable) -> None:
    files = f"parquet.{table.schema}_{table.name}"
    view = f"{table.schema}.{table.name}"
    patterns = [f"{glob.escape(str(folder))}/*.parquet" for folder in table.folders]
    listed = ", ".join(map(_literal, patterns))
    connection.execute(f"create schema if not exists {table.schema}")
    connection.execute(f"create or replace view {files} as from read_parquet([{listed}], hive_partitioning = false)")
    columns = [str(name) for name, *_ in connection.execute(f"describe {files}").fetchall()]
    shown = ", ".join(
        f"{CASTS[kind].format(column)} as {column}" if (kind := table.types.get(column, "")) in CASTS else f'"{column}"'
        for column in columns
    )
    connection.execute(f"create or replace view {view} as select {shown} from {files}")  # noqa: S608 - names of our own
    connection.execute("delete from parquet.folders where view_name = $1", [files.removeprefix("parquet.")])
    connection.execute(
        "insert into parquet.folders values ($1, $2)",
        [files.removeprefix("parquet."), [str(folder) for folder in table.folders]],
    )
    comments = [f"comment on view {view} is {_literal(table.comment)}"] if table.comment else []
    comments += [
        f'comment on column {view}."{column}" is {_literal(table.comments[column])}'
        for column in columns
        if table.comments.get(column)
    ]
    connection.execute(";".join(comments) or "select 1")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
