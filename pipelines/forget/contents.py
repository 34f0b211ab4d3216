"""Whether a person is in a file of any kind: tables and archives are opened."""

import csv
import glob
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.errors import StudyflowError
from pipelines.forget.known import Known
from pipelines.load.content import open_content
from pipelines.load.sources import look_at
from pipelines.warehouse import MAGIC, MAGIC_AT, connect, only_row

UNREADABLE = (
    OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, pa.ArrowException, duckdb.Error, StudyflowError,
)  # fmt: skip

ROWS_AT_ONCE = 20_000

TEXT_COLUMNS = (Path(__file__).parent / "text_columns.sql").read_text(encoding="utf-8")

IN_ID_COLUMNS = {
    '"person_id"': "is_forgotten_person(person_id)",
    '"participant_id"': "is_forgotten_participant(participant_id)",
}

# Numbers, and what the format itself says in short: a cell's place, a style.
OF_A_WORKBOOK = re.compile(rb'="[A-Za-z]{0,3}\d{0,7}"|<v>[\d.]{1,5}</v>')

Column = tuple[str, str, bool]
"""Relation and name, as SQL, and whether it can tell of people."""


def is_in_file(path: Path, known: Known) -> bool:
    """Whether they are in the name or the content of a file.

    Raises:
        One of `UNREADABLE`: the content cannot be read to its end.
    """
    wanted = known.anywhere
    with path.open("rb") as file:
        if wanted.occur_in(path.name.encode("utf-8", "surrogateescape")) or wanted.occur_in_stream(file):
            return True
        file.seek(MAGIC_AT)
        is_database = file.read(len(MAGIC)) == MAGIC
    if is_database:
        with connect(path, read_only=True) as connection:
            return any(places_in(connection, known, text_columns(connection)))
    return _is_inside(path, known)


def holds(path: Path, known: Known) -> bool:
    """The same; False of what cannot be read, which the search names."""
    try:
        return is_in_file(path, known)
    except UNREADABLE:
        return False


def text_columns(connection: duckdb.DuckDBPyConnection, kind: str = "BASE TABLE") -> list[Column]:
    """Each column of the tables that can hold text."""
    return connection.execute(TEXT_COLUMNS, {"kind": kind}).fetchall()


def places_in(connection: duckdb.DuckDBPyConnection, known: Known, columns: list[Column]) -> Iterator[str]:
    """The columns of people in which they are; of columns of ids, in how many rows."""
    known.hashes.register_macros(connection)
    for relation, column, is_of_people in columns:
        place = f"{relation}.{column}".replace('"', "")
        if is_theirs := IN_ID_COLUMNS.get(column):
            if rows := only_row(connection, f"select count(*) from {relation} where {is_theirs}")[0]:  # noqa: S608
                yield f"{place}: {rows} rows"
        elif is_of_people and any(known.anywhere.occur_in(text) for text in _values(connection, relation, column)):
            yield place


def _values(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> Iterator[bytes]:
    """The distinct values of a column, one a line, a part of them at a time."""
    query = f"select distinct {column} as value from {relation} where {column} is not null"  # noqa: S608
    for batch in connection.sql(query).to_arrow_reader(ROWS_AT_ONCE):
        values = batch.column(0).to_pylist()
        yield b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def _is_inside(path: Path, known: Known) -> bool:
    """Whether they are in what a file shows only to those who know its kind."""
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            connection.read_parquet(glob.escape(str(path))).create_view("parquet")
            return any(places_in(connection, known, text_columns(connection, "VIEW")))
    if path.suffix == ".csv":
        return _is_in_sheet(path, known)
    if zipfile.is_zipfile(path):  # as workbooks are: an archive of XML files
        with zipfile.ZipFile(path) as archive:
            files = ((name, io.BytesIO(OF_A_WORKBOOK.sub(b"", archive.read(name)))) for name in archive.namelist())
            wanted = known.anywhere
            return any(wanted.occur_in(name.encode()) or wanted.occur_in_stream(file) for name, file in files)
    source = look_at(path)
    if source.compression == "none":
        return False
    with open_content(source) as content:
        return known.anywhere.occur_in_stream(content)


def _is_in_sheet(path: Path, known: Known) -> bool:
    """Whether one of the ids, however short, stands in a column of such ids."""
    wanted = {"person_id": {known.ids.person}, "participant_id": set(known.ids.participants)}
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        try:
            return any(
                (row.get(column) or "").removeprefix("'") in ids
                for row in csv.DictReader(file)
                for column, ids in wanted.items()
            )
        except csv.Error:
            return False
