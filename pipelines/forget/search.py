"""The proof that nothing is left: a search for the ids through the new warehouse and everything in the exports."""

import csv
import glob
import mmap
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from pipelines.forget.ids import Ids
from pipelines.forget.known import Known
from pipelines.warehouse import connect, only_row

ID_COLUMNS = {"person_id": "is_forgotten_person({})", "participant_id": "is_forgotten_participant({})"}
IN_TEXT = "regexp_matches({0}::varchar, $pattern) or {0}::varchar in (select unnest($long::varchar[]))"
BESIDE = ("{}.wal", "{}.tmp", ".{}.studyflow")
"""Where DuckDB and runs put what they have at hand; a process that was killed leaves it there."""

OF_OTHERS = {"study_id", "study_name"}
"""Columns whose ids are of something else. A study can have the id that a person has."""


@dataclass(slots=True)
class Search:
    """What was looked at, and every place where an id was found."""

    columns: int = 0
    files: int = 0
    found: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {"columns_searched": self.columns, "files_searched": self.files, "found": self.found}


def search(database: Path, folders: Sequence[Path], known: Known) -> Search:
    """Look for the ids in each column of text, in the bytes of the warehouse and beside it, and in all files of folders."""
    done = Search()
    with connect(database, read_only=True) as connection:
        known.hashes.tell(connection)
        _tables(connection, known.ids, done)
        done.files += 1
        if any(not _is_part_of_another(connection, one) for one in _in_bytes(database, known.ids)):
            done.found.append(str(database))
    beside = [path for name in BESIDE for path in database.parent.glob(name.format(glob.escape(database.name)))]
    for path in sorted(file for place in [*beside, *folders] for file in [place, *place.rglob("*")]):
        with suppress(FileNotFoundError):  # another process may be done with it by now
            if path.is_file():
                done.files += 1
                if is_in_file(path, known.ids):
                    done.found.append(str(path))
    return done


def _text_columns(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[str]]]:
    found = connection.execute("""
        select '"' || table_schema || '"."' || table_name || '"', list(column_name order by ordinal_position)
        from information_schema.columns
        inner join information_schema.tables using (table_catalog, table_schema, table_name)
        where
            table_type = 'BASE TABLE' and table_schema <> 'reference' and table_catalog = current_database()
            and regexp_matches(data_type, 'VARCHAR|BLOB|JSON')
        group by all
        order by all
    """).fetchall()
    yield from found


def _tables(connection: duckdb.DuckDBPyConnection, ids: Ids, done: Search) -> None:
    for table, columns in _text_columns(connection):
        for column in columns:
            if column in OF_OTHERS:
                continue
            done.columns += 1
            values = {} if column in ID_COLUMNS else {"pattern": ids.pattern, "long": list(ids.long)}
            condition = ID_COLUMNS.get(column, IN_TEXT).format(f'"{column}"')
            query = f"select count(*) from {table} where {condition}"  # noqa: S608
            if rows := only_row(connection, query, values)[0]:
                place = table.replace('"', "")
                done.found.append(f"{place}.{column}: {rows} rows")


def _in_bytes(file: Path, ids: Ids) -> list[str]:
    """Those of the ids that the bytes of a file have."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return [one for one in ids.long if content.find(one.encode("utf-8", "surrogatepass")) >= 0]


def _is_part_of_another(connection: duckdb.DuckDBPyConnection, one: str) -> bool:
    """Whether something that stays has the id as a part, as person-10 has person-1: then it is those bytes."""
    conditions = (
        f'select exists(select 1 from {table} where contains("{column}"::varchar, $one) and "{column}"::varchar <> $one)'  # noqa: S608
        for table, columns in _text_columns(connection)
        for column in columns
    )
    return any(only_row(connection, condition, {"one": one})[0] for condition in conditions)


def is_in_file(path: Path, ids: Ids) -> bool:
    """Whether a file that studyflow made has one of the ids."""
    pattern = ids.pattern_of_bytes
    if path.suffix == ".csv" and _is_in_sheet(path, ids):
        return True
    if path.suffix == ".parquet":
        return _is_in_parquet(path, ids)
    if pattern is None:
        return False
    if zipfile.is_zipfile(path):  # as workbooks are
        with zipfile.ZipFile(path) as members:
            return any(pattern.search(members.read(name)) for name in members.namelist())
    return pattern.search(path.read_bytes()) is not None


def _is_in_sheet(path: Path, ids: Ids) -> bool:
    """Whether one of the ids, however short, stands in a column of such ids."""
    wanted = _by_column(ids)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return any(
                (row.get(column) or "").removeprefix("'") in some for row in rows for column, some in wanted.items()
            )
    except (UnicodeDecodeError, csv.Error):
        return False


def _is_in_parquet(path: Path, ids: Ids) -> bool:
    wanted = _by_column(ids)
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name in wanted]
        for batch in file.iter_batches(columns=columns):
            if any(not wanted[name].isdisjoint(batch.column(name).to_pylist()) for name in columns):
                return True
    return False


def _by_column(ids: Ids) -> dict[str, set[str]]:
    return {"person_id": {ids.person}, "participant_id": set(ids.participants)}
