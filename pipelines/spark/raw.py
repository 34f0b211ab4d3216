"""Write the raw tables of a warehouse and the rows of the reference files as Parquet for Spark."""

import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.load.withhold import forgotten, hash_of
from pipelines.reference import read_reference_files, types_of_optional_files
from pipelines.settings import PACKAGE
from pipelines.spark.views import parquet_files
from pipelines.state import engine_of
from pipelines.warehouse import literal

TABLES = ("files", "loads", "withdrawals", "forgotten", "forgotten_lines")
CELLS = pa.schema([("file_name", pa.string()), ("cells", pa.map_(pa.string(), pa.string()))])
"""A row of a reference file: its cells that are not blank, by column, as text that casts to the columns' types."""


def write_raw(connection: duckdb.DuckDBPyConnection, folder: Path, studies: Path, people: Path) -> None:
    """Write everything that the models read into a folder, replacing what an earlier call wrote.

    If Spark loads the warehouse, its deliveries are Parquet files already, and only the numbers of their parts are
    written. People who were forgotten are left out, even if people.csv still has them.

    Raises:
        StudyflowError: a reference file is invalid.
    """
    sheets = read_reference_files(studies, people)
    if hashes := forgotten(connection):
        rows_of_people = sheets["people"].rows
        rows_of_people[:] = [
            row for row in rows_of_people if hash_of(hashes.salt, row.get("person_id")) not in hashes.people
        ]
    rows = [
        {"file_name": name, "cells": [(column, cell) for column, cell in row.cells.items() if cell]}
        for name, sheet in sheets.items()
        for row in sheet.rows
    ]
    new = folder / "raw.db.new"
    shutil.rmtree(new, ignore_errors=True)
    queries = {table: f"select {_columns(connection, table)} from raw.{table}" for table in TABLES}  # noqa: S608
    if engine_of(connection) == "spark":
        queries["parts"] = "select part_id from parquet.parts"
    else:
        queries |= {"parts": "select 0 as part_id", "delivered": "select *, 0 as part_id from raw.deliveries"}
    for table, query in queries.items():
        (new / table).mkdir(parents=True)
        connection.execute(f"copy ({query}) to {literal(str(new / table / 'rows.parquet'))} (format parquet)")
    (new / "file_rows").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, CELLS), new / "file_rows" / "rows.parquet")
    shutil.rmtree(folder / "raw.db", ignore_errors=True)
    new.rename(folder / "raw.db")


def make_file_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Create raw.studies_file and raw.people_file from the rows that `write_raw` wrote into the folder."""
    files = parquet_files([folder / "raw.db" / "file_rows"])
    for name in ("studies", "people"):
        types = types_of_optional_files(PACKAGE)[name]
        cells = ", ".join(f"cast(cells['{column}'] as {kind}) as {column}" for column, kind in types.items())
        query = f"select {cells} from {files} where file_name = '{name}'"  # noqa: S608 - names of our own
        connection.execute(f"create or replace table raw.{name}_file as {query}")


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The columns of a raw table. Hugeints are cast to decimals: DuckDB would write them to Parquet as doubles."""
    columns = connection.execute(
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'raw' and table_name = $1 order by ordinal_position",
        [table],
    ).fetchall()
    return ", ".join(
        f"cast({name} as decimal(38, 0)) as {name}" if kind == "HUGEINT" else name for name, kind in columns
    )
