"""Find out whether a file mentions a person. Databases, Parquet files, archives and compressed files are opened."""

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
from pipelines.forget.known_person import KnownPerson
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

# Short numbers, references of cells and styles in a workbook, which could be mistaken for ids.
WORKBOOK_NOISE = re.compile(rb'="[A-Za-z]{0,3}\d{0,7}"|<v>[\d.]{1,5}</v>')

Column = tuple[str, str, bool]
"""Relation and name as quoted SQL, and whether it can contain data on people."""


def is_in_file(path: Path, known: KnownPerson) -> bool:
    """Whether the name or the content of a file mentions the person.

    Raises:
        One of `UNREADABLE`: the content cannot be read to its end.
    """
    terms = known.all_terms
    with path.open("rb") as file:
        if terms.occur_in(path.name.encode("utf-8", "surrogateescape")) or terms.occur_in_stream(file):
            return True
        file.seek(MAGIC_AT)
        is_database = file.read(len(MAGIC)) == MAGIC
    if is_database:
        with connect(path, read_only=True) as connection:
            return any(places_in(connection, known, text_columns(connection)))
    return _is_inside(path, known)


def is_in_readable_file(path: Path, known: KnownPerson) -> bool:
    """The same, but false if the file cannot be read. The search reports such files later."""
    try:
        return is_in_file(path, known)
    except UNREADABLE:
        return False


def text_columns(connection: duckdb.DuckDBPyConnection, kind: str = "BASE TABLE") -> list[Column]:
    """Each column that can hold text, of tables or, with the kind "VIEW", of views."""
    return connection.execute(TEXT_COLUMNS, {"kind": kind}).fetchall()


def places_in(connection: duckdb.DuckDBPyConnection, known: KnownPerson, columns: list[Column]) -> Iterator[str]:
    """A description of each column that mentions the person; for columns of ids, with the number of rows."""
    known.hashes.register_macros(connection)
    for relation, column, is_of_people in columns:
        place = f"{relation}.{column}".replace('"', "")
        if condition := IN_ID_COLUMNS.get(column):
            if rows := only_row(connection, f"select count(*) from {relation} where {condition}")[0]:  # noqa: S608
                yield f"{place}: {rows} rows"
        elif is_of_people and any(known.all_terms.occur_in(text) for text in _values(connection, relation, column)):
            yield place


def _values(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> Iterator[bytes]:
    """The distinct values of a column in batches, each with one value per line."""
    query = f"select distinct {column} as value from {relation} where {column} is not null"  # noqa: S608
    for batch in connection.sql(query).to_arrow_reader(ROWS_AT_ONCE):
        values = batch.column(0).to_pylist()
        yield b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def _is_inside(path: Path, known: KnownPerson) -> bool:
    """Whether the decoded content of a Parquet file, CSV file, archive or compressed file mentions the person."""
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            connection.read_parquet(glob.escape(str(path))).create_view("parquet")
            return any(places_in(connection, known, text_columns(connection, "VIEW")))
    if path.suffix == ".csv":
        return _is_in_id_columns(path, known)
    if zipfile.is_zipfile(path):  # e.g. a workbook: an archive of XML files
        with zipfile.ZipFile(path) as archive:
            files = ((name, io.BytesIO(WORKBOOK_NOISE.sub(b"", archive.read(name)))) for name in archive.namelist())
            terms = known.all_terms
            return any(terms.occur_in(name.encode()) or terms.occur_in_stream(file) for name, file in files)
    source = look_at(path)
    if source.compression == "none":
        return False
    with open_content(source) as content:
        return known.all_terms.occur_in_stream(content)


def _is_in_id_columns(path: Path, known: KnownPerson) -> bool:
    """Whether one of the ids, even a short one, is in a column of ids of a CSV file."""
    ids_by_column = {"person_id": {known.ids.person}, "participant_id": set(known.ids.participants)}
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        try:
            return any(
                (row.get(column) or "").removeprefix("'") in ids
                for row in csv.DictReader(file)
                for column, ids in ids_by_column.items()
            )
        except csv.Error:
            return False
