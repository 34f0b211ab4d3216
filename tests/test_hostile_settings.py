"""Settings that cannot be right: a sentence that names what is wrong and what to do, before anything is touched."""

import sqlite3
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from processes import studyflow
from test_cli import EVENT
from test_reference import problems

from pipelines.errors import StudyflowError
from pipelines.migrations import migrate
from pipelines.settings import REFERENCE, parse_instant, resolve
from pipelines.warehouse import connect

HEADER_BYTES, VERSION_AT = 4096, 12


def _of_a_newer_version(path: Path) -> None:
    """A DuckDB file whose header says a later storage version, with the checksum that belongs to it."""
    duckdb.connect(path).close()
    content = bytearray(path.read_bytes())
    [version] = struct.unpack_from("<Q", content, VERSION_AT)
    struct.pack_into("<Q", content, VERSION_AT, version + 1_000)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", content[8:HEADER_BYTES]):
        checksum ^= (word * 0xBF58476D1CE4E5B9) % 2**64
    struct.pack_into("<Q", content, 0, checksum)
    path.write_bytes(content)


def _cut(path: Path) -> None:
    duckdb.connect(path).close()
    path.write_bytes(path.read_bytes()[:5_000])


def _flipped(path: Path) -> None:
    duckdb.connect(path).close()
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("create table t (x)")


DATABASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "newer": (_of_a_newer_version, "a newer version of DuckDB made this file"),
    "cut": (_cut, "damaged"),
    "flipped": (_flipped, "damaged"),
    "SQLite": (_sqlite, "not a DuckDB database"),
    "empty": (Path.touch, "not a DuckDB database"),
    "webhooks": (lambda path: path.write_text(EVENT % "one"), "not a DuckDB database"),
    "folder": (Path.mkdir, "this is a folder"),
}


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_warehouse(tmp_path: Path, kind: str, *, read_only: bool) -> None:
    make, says = DATABASES[kind]
    path = tmp_path / "w.duckdb"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StudyflowError, match=says), connect(path, read_only=read_only):
        pass
    assert path.is_dir() or path.read_bytes() == before


@pytest.mark.parametrize("table", ["raw.files", "marts.participants"])
def test_tables_of_others_are_not_replaced(tmp_path: Path, table: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create schema {table.split('.', maxsplit=1)[0]}; create table {table} as select 1 as x")
        with pytest.raises(StudyflowError, match=f"studyflow did not make {table}"):
            migrate(connection, tmp_path / "w.duckdb")


def test_a_database_may_hold_other_schemas(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table customers as select 1 as x")
        migrate(connection, tmp_path / "w.duckdb")
        migrate(connection, tmp_path / "w.duckdb")


@pytest.mark.parametrize(
    "text", ["", "now", "2026-02-30T00:00:00Z", "2026-03-01", "9999-12-31T12:00:00Z", "0001-01-01T00:00:00+01:00"]
)
def test_a_moment_that_is_none(text: str) -> None:
    with pytest.raises(StudyflowError):
        parse_instant(text)


def test_a_moment_in_the_future_is_warned_of(tmp_path: Path) -> None:
    done = studyflow(
        "build", "--as-of", f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}", "--database", tmp_path
    )
    assert "is in the future" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_moment_in_the_far_future_is_refused(tmp_path: Path) -> None:
    """Two participants and the year 9000 made 7.6 million rows, each like the one of the day before."""
    done = studyflow("build", "--as-of", "9000-01-01T00:00:00Z", "--database", tmp_path)
    assert done.returncode == 2
    assert "9000-01-01T00:00:00Z" in done.stderr
    with pytest.raises(StudyflowError, match="more than 10 years ahead"):
        resolve(as_of="9000-01-01T00:00:00Z")


def test_an_empty_setting_is_none(tmp_path: Path) -> None:
    """Schedulers and Docker set variables to nothing where nobody filled them in."""
    (tmp_path / "one.jsonl").write_text(EVENT % "one")
    empty = {
        f"STUDYFLOW_{name}": "" for name in ("MEMORY_LIMIT", "TEMP_DIRECTORY", "DATABASE", "EXPORTS", "AS_OF", "RAW")
    }
    done = studyflow("load", tmp_path / "one.jsonl", "--database", tmp_path / "w.duckdb", **empty)
    assert done.returncode == 0, done.stderr


TABLES = ("participant_statuses", "stages", "funnel_steps", "incentive_effects", "contact_statuses")


@pytest.mark.parametrize("table", TABLES)
def test_a_row_twice_is_named(tmp_path: Path, table: str) -> None:
    """A second row of a status or stage would double everyone who is in it."""
    second = (REFERENCE / f"{table}.csv").read_text(encoding="utf-8").splitlines()[1]
    found = problems(tmp_path, **{table: f"{second}\n"})
    assert any(" again, as line 2" in one for one in found), found


@pytest.mark.parametrize(
    ("table", "row", "says"),
    [
        ("stages", "Waiting,waiting,2,false,false,waiting,false\n", "stage_order '2' again"),
        ("stages", "Waiting,waiting,last,false,false,waiting,false\n", "stage_order 'last'"),
        ("stages", "Waiting,waiting,8,perhaps,false,waiting,false\n", "is_terminal 'perhaps'"),
        ("funnel_steps", "paid,10,false\n", "step_order '10' again"),
        ("contact_statuses", "Unknown,,false,decided\n", "has no contact_status_order"),
        ("incentive_effects", '"pays,true\n', "cannot be read as CSV"),
        ("participant_statuses", "NEW,x,New,Invited,,,,,,,,,,,,,,\n", "status_rank 'x'"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(tmp_path: Path, table: str, row: str, says: str) -> None:
    found = problems(tmp_path, **{table: row})
    assert any(says in one and f"{table}.csv, line" in one for one in found), found
