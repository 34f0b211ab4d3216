"""Whether something that is wanted is in a file, whatever kind of file it is: tables and archives are read as what they are."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import StudyflowError
from pipelines.forget.ids import Ids
from pipelines.load.content import open_content
from pipelines.load.sources import look_at
from pipelines.load.wanted import Wanted
from pipelines.warehouse import MAGIC, MAGIC_AT, connect

UNREADABLE = (
    OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, pa.ArrowException, duckdb.Error, StudyflowError,
)  # fmt: skip

ROWS_AT_ONCE = 20_000

TEXT_COLUMNS = """
select
    '"' || replace(table_schema, '"', '""') || '"."' || replace(table_name, '"', '""') || '"' as relation,
    column_name
from information_schema.columns
inner join information_schema.tables using (table_catalog, table_schema, table_name)
where
    table_type = 'BASE TABLE'
    and table_catalog = current_database()
    and regexp_matches(data_type, 'VARCHAR|BLOB|JSON')
order by relation, ordinal_position
"""

# Numbers, and what the format itself says in short: a cell's place, a style.
OF_A_WORKBOOK = re.compile(rb'="[A-Za-z]{0,3}\d{0,7}"|<v>[\d.]{1,5}</v>')


def is_in_file(path: Path, wanted: Wanted, ids: Ids) -> bool:
    """Whether one of them is in the name or the content of a file.

    Raises:
        One of `UNREADABLE`: the content cannot be read to its end.
    """
    if wanted.are_in(path.name.encode("utf-8", "surrogateescape")):
        return True
    with path.open("rb") as file:
        if wanted.are_in_stream(file):
            return True
        file.seek(MAGIC_AT)
        is_database = file.read(len(MAGIC)) == MAGIC
    if is_database:
        return _is_in_database(path, wanted)
    if path.suffix == ".parquet":
        return _is_in_parquet(path, wanted, ids)
    if path.suffix == ".csv":
        return _is_in_sheet(path, ids)
    return _is_in_archive(path, wanted) if zipfile.is_zipfile(path) else _is_in_packed(path, wanted)


def holds(path: Path, wanted: Wanted, ids: Ids) -> bool:
    """The same; False of what cannot be read, which the search names."""
    try:
        return is_in_file(path, wanted, ids)
    except UNREADABLE:
        return False


def text_columns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Relation, as SQL, and name of each column that can hold text."""
    return connection.execute(TEXT_COLUMNS).fetchall()


def values(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> Iterator[bytes]:
    """The distinct values of a column, one a line, a part of them at a time."""
    name = '"' + column.replace('"', '""') + '"'
    query = f"select distinct {name} as value from {relation} where {name} is not null"  # noqa: S608
    for batch in connection.sql(query).to_arrow_reader(ROWS_AT_ONCE):
        yield _lines(batch.column(0))


def _lines(column: pa.Array) -> bytes:
    found = (value if isinstance(value, bytes) else str(value).encode() for value in column.to_pylist())
    return b"\n".join(found)


def _is_in_database(path: Path, wanted: Wanted) -> bool:
    with connect(path, read_only=True) as connection:
        return any(
            wanted.are_in(text)
            for relation, column in text_columns(connection)
            for text in values(connection, relation, column)
        )


def _is_in_packed(path: Path, wanted: Wanted) -> bool:
    source = look_at(path)
    if source.compression == "none":
        return False
    with open_content(source) as content:
        return wanted.are_in_stream(content)


def _is_in_archive(path: Path, wanted: Wanted) -> bool:
    """As workbooks are: an archive of XML files."""
    with zipfile.ZipFile(path) as archive:
        return any(
            wanted.are_in(name.encode()) or wanted.are_in_stream(io.BytesIO(OF_A_WORKBOOK.sub(b"", archive.read(name))))
            for name in archive.namelist()
        )


def _is_in_sheet(path: Path, ids: Ids) -> bool:
    """Whether one of the ids, however short, stands in a column of such ids."""
    wanted = _by_column(ids)
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return any(
                (row.get(column) or "").removeprefix("'") in some for row in rows for column, some in wanted.items()
            )
        except csv.Error:
            return False


def _is_in_parquet(path: Path, wanted: Wanted, ids: Ids) -> bool:
    by_column = _by_column(ids)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                distinct = column.unique() if pa.types.is_string(column.type) else column
                if not by_column.get(name, set()).isdisjoint(distinct.to_pylist()) or wanted.are_in(_lines(distinct)):
                    return True
    return False


def _by_column(ids: Ids) -> dict[str, set[str]]:
    return {"person_id": {ids.person}, "participant_id": set(ids.participants)}
