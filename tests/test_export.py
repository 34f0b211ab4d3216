"""What people receive: the tables as files, byte by byte, and what a spreadsheet makes of them."""

import csv
import errno
import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from export_warehouse import CONTRACT, GOLDEN, MONDAY, PEOPLE, contents, fill, person, warehouse
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import StudyflowError
from pipelines.export import ExportOptions, export, tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection
else:
    Connection = object  # hypothesis keeps annotations until the very end, when DuckDB complains of classes still held

STAGES = ("not_started", "invited", "screening", "in_progress", "pending_incentive", "done", "cancelled")


@pytest.fixture
def small() -> Iterator[Connection]:
    """The warehouse of the golden files."""
    with warehouse() as connection:
        yield connection


def read(path: Path) -> list[dict[str, str]]:
    """A file as Python's csv module reads it, strictly."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_files_are_what_they_were(small: Connection, tmp_path: Path) -> None:
    """Sheets and scripts hang on names, columns, order and bytes. `tests/export_warehouse.py` writes new golden files."""
    export(small, tmp_path / "exports", ExportOptions(by_study=True))
    assert contents(tmp_path / "exports") == contents(GOLDEN)


def test_every_participant_is_in_the_table_of_one_stage(small: Connection, tmp_path: Path) -> None:
    """As in Rally. The counts are what the summary shows."""
    exported = export(small, tmp_path, ExportOptions(by_study=True))
    assert {path: len(read(path)) for path in exported.files} == exported.rows
    for folder in (tmp_path, *{path.parent for path in exported.files}):
        everyone = read(folder / "participants.csv")
        by_stage = [row for stage in STAGES for row in read(folder / f"{stage}.csv")]
        assert sorted(map(repr, by_stage)) == sorted(map(repr, everyone))
        assert everyone == sorted(
            everyone, key=lambda row: (row["study_id"].encode(), row["participant_id"].strip("'").encode())
        )
    assert all(row["current_stage"] == "Pending Incentive" for row in read(tmp_path / "pending_incentive.csv"))


def test_csv_says_what_the_mart_says(small: Connection, tmp_path: Path) -> None:
    """Every column, every value; times to the microsecond; nothing that a reader other than Python's sees differently."""
    export(small, tmp_path)
    mart = small.sql("select * from marts.participants order by study_id, participant_id").pl()
    text = read(tmp_path / "participants.csv")
    assert set(text[0]) == set(CONTRACT)
    for row, expected in zip(text, mart.iter_rows(named=True), strict=True):
        for column, value in expected.items():
            cell = row[column]
            if isinstance(value, datetime):
                assert (datetime.fromisoformat(cell), cell[-1]) == (value, "Z")
            elif isinstance(value, bool):
                assert cell == str(value).lower()
            else:
                assert cell.removeprefix("'") == ("" if value is None else str(value))
    again = pl.read_csv(tmp_path / "participants.csv", infer_schema=False)
    assert again.fill_null("").to_dicts() == text


def test_parquet_holds_the_mart_as_it_is(small: Connection, tmp_path: Path) -> None:
    """Types and all, and no quote before a formula: no spreadsheet opens it."""
    exported = export(small, tmp_path, ExportOptions(parquet=True, by_study=True))
    mart = small.sql("select * from marts.participants order by study_id, participant_id").pl()
    assert pl.read_parquet(tmp_path / "participants.parquet").select(mart.columns).equals(mart)
    for path in exported.files:
        assert exported.rows[path] == exported.rows[path.with_suffix(".csv")]
        if path.suffix == ".parquet":
            assert pl.read_parquet(path).height == exported.rows[path]
            assert pl.read_parquet(path).schema == pl.read_parquet(tmp_path / "participants.parquet").schema


def test_an_empty_warehouse_gives_all_tables_with_headers_only(tmp_path: Path) -> None:
    """A sheet that reads invited.csv must find it on the first day too."""
    with warehouse([]) as connection:
        exported = export(connection, tmp_path, ExportOptions(parquet=True, by_study=True))
    names = {f"{table}.{ending}" for table in (*STAGES, "participants") for ending in ("csv", "parquet")}
    assert {path.name for path in exported.files} == names
    assert set(exported.rows.values()) == {0}
    header = (tmp_path / "participants.csv").read_text(encoding="utf-8")
    assert {(tmp_path / f"{stage}.csv").read_text(encoding="utf-8") for stage in STAGES} == {header}
    assert header.endswith("is_terminal\n")
    assert pl.read_parquet(tmp_path / "done.parquet").columns == header.strip().split(",")


def test_bytes_depend_on_the_marts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on threads, the order of rows in the warehouse, or how they arrive. The tables span several row groups."""
    monkeypatch.setattr(tables, "ROW_GROUP", 700)
    people = [
        person(f"p{n % 1_000}-{n}", f"study {n % 3}", ["INVITE_SENT", "NOT_STARTED", "INCENTIVE_SENT"][n % 7 % 3])
        for n in range(6_000)
    ]
    exports = []
    for threads, rows, at_once in ((1, people, 10_000), (4, people[::-1], 10_000), (2, people[1::2] + people[::2], 64)):
        monkeypatch.setattr("pipelines.export.mart.ROWS_AT_ONCE", at_once)
        with warehouse(rows) as connection:
            connection.execute(f"set threads = {threads}")
            export(connection, tmp_path, ExportOptions(parquet=True, by_study=True))
        exports.append(contents(tmp_path))
    assert exports[0] == exports[1] == exports[2]
    assert pl.read_parquet(tmp_path / "participants.parquet").height == 6_000


def test_microseconds_show_only_where_there_are_any(tmp_path: Path) -> None:
    """Rally writes milliseconds, so the usual cell has them, also when they are zero: one form reads all."""
    times = [MONDAY, MONDAY.replace(microsecond=1_000), MONDAY.replace(microsecond=1), datetime(1, 1, 1, tzinfo=UTC)]
    with warehouse(
        [person(str(n), "s", "INVITE_SENT", status_since=time) for n, time in enumerate(times)]
    ) as connection:
        connection.execute("set timezone = 'America/New_York'")
        export(connection, tmp_path)
    assert [row["status_since"] for row in read(tmp_path / "invited.csv")] == [
        "2026-07-27T09:00:00.000Z",
        "2026-07-27T09:00:00.001Z",
        "2026-07-27T09:00:00.000001Z",
        "0001-01-01T00:00:00.000Z",
    ]


def test_an_instant_that_no_calendar_has_is_written_as_it_is_called(small: Connection, tmp_path: Path) -> None:
    """A row must not lose a value because the usual way to write it does not hold for it."""
    small.execute("update marts.participants set status_since = 'infinity', first_seen_at = '-infinity'")
    export(small, tmp_path)
    for row in read(tmp_path / "participants.csv"):
        assert (row["status_since"], row["first_seen_at"]) == ("infinity", "-infinity")


def test_a_line_of_harmless_text_is_written_like_any_other(tmp_path: Path) -> None:
    """One look tells whether a line needs no care, so it must see what two cells together could pass for."""
    cells = {None: "", "": '""', "a": "a", "0": "0", "a,b": '"a,b"', ",": '","', "a,": '"a,"', "-": "'-", "a-": "a-"}
    cells |= {" a": '" a"', "a b": "a b", "é": "é", "a\nb": '"a\nb"', "a'": "a'", "a;=b": '"a;\'=b"', "a=b": "a=b"}
    pairs = [(one, other) for one in cells if one is not None for other in cells]
    people = [
        person(f"p{n:03}", "s", "INVITE_SENT", person_id=one, incentive_status=other)
        for n, (one, other) in enumerate(pairs)
    ]
    with warehouse(people) as connection:
        export(connection, tmp_path)
    text = (tmp_path / "invited.csv").read_text(encoding="utf-8").partition("\n")[2]
    expected = [
        f"s,p{n:03},{cells[one]},Invited,Study Invited,2026-07-28T09:00:00.250Z,{cells[other]},invited"
        for n, (one, other) in enumerate(pairs)
    ]
    assert re.findall(r"^(s,p\d{3},(?s:.*?),invited),", text, re.MULTILINE) == expected


def starts_formula(cell: str) -> bool:
    """Whether some spreadsheet, after dropping what it does not show, may take this for a formula."""
    shown = unicodedata.normalize("NFKC", cell).lstrip(
        "".join(c for c in cell if not c.isprintable() or c.isspace()) + ' "'
    )
    return shown[:1] in set("=+-@") or cell[:1] in set("\t\r\n")


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "=1",
            "+1",
            "-1",
            "@a",
            "\t=1",
            "\r=1",
            "\n@a",
            "\tx",
            "\rx",
            " =1",
            "\u00a0-1",
            "\ufeff+1",
            "\u200b=1",
            "\0=1",
        ),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20a", "\ufe661", "\u3000=1", '"=1', "x;=1", 'x\n"-1', "x\t\t+1"),
    ],
)
def test_the_examples_are_formulas_to_the_judge(cell: str) -> None:
    """The next test says nothing if its judge lets everything pass."""
    assert any(starts_formula(piece) for piece in (cell, *re.split(r"[;\t\r\n]", cell)))


nasty = st.text(st.sampled_from("=+-@\t\r\n;,\"' a1\0\u00a0\u200b\ufeff\uff1d\ufe63\u2028é"), max_size=6)


@settings(max_examples=10)
@given(st.lists(nasty, min_size=200, max_size=200))
def test_no_cell_starts_a_formula(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    """Neither as RFC 4180 cuts the file into cells, nor where a spreadsheet cuts at semicolons or tabs."""
    folder = tmp_path_factory.mktemp("formulas")
    with warehouse(
        [person(f"p{n:03}", "s", "INVITE_SENT", person_id=cell) for n, cell in enumerate(cells)]
    ) as connection:
        export(connection, folder)
    for row, original in zip(read(folder / "invited.csv"), cells, strict=True):
        written = row["person_id"]
        assert not any(starts_formula(piece) for piece in (written, *re.split(r"[;\t\r\n]", written)))
        assert written.replace("'", "") == original.replace("'", ""), "nothing else changes"
    assert b"\n" not in (folder / "done.csv").read_bytes()[:-1]


def test_names_of_columns_are_cells_too(small: Connection, tmp_path: Path) -> None:
    """A column that someone adds to the mart is exported, whatever its name and type."""
    small.execute('alter table marts.participants add column "=1+1, ""x""" varchar default \'@b\'')
    small.execute("alter table marts.participants add column tags varchar[] default ['-a', 'b']")
    small.execute("alter table marts.participants add column score decimal(5, 2) default -1.50")
    export(small, tmp_path, ExportOptions(parquet=True))
    [row] = read(tmp_path / "done.csv")
    assert row['\'=1+1, "x"'] == "'@b"
    assert (row["tags"], row["score"]) == ("[-a, b]", "-1.50")
    assert pl.read_parquet(tmp_path / "done.parquet")['=1+1, "x"'].to_list() == ["@b"]


def missing_marts(connection: Connection) -> None:
    connection.execute("drop table marts.participants")


def missing_stages(connection: Connection) -> None:
    connection.execute("drop table reference.stages")


def a_stage_less(connection: Connection) -> None:
    connection.execute("delete from reference.stages where stage = 'Done'")


def a_name_twice(connection: Connection) -> None:
    connection.execute("update reference.stages set export_name = 'same' where stage_order < 3")


def an_old_mart(connection: Connection) -> None:
    connection.execute("alter table marts.participants drop column study_id")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (missing_marts, r"marts\.participants is not in the warehouse yet\. Make it first: studyflow run"),
        (missing_stages, r"reference\.stages is not in the warehouse yet"),
        (a_stage_less, r"1 participants are in a stage that reference\.stages lacks"),
        (a_name_twice, "export_name 'same' appears twice"),
        (an_old_mart, r"cannot be read\. DuckDB says: .*study_id"),
    ],
)
def test_a_warehouse_that_will_not_do(
    small: Connection, tmp_path: Path, damage: Callable[[Any], None], problem: str
) -> None:
    """Each message says what to do, and the export of before is as it was."""
    export(small, tmp_path / "exports")
    before = contents(tmp_path)
    damage(small)
    with pytest.raises(StudyflowError, match=problem):
        export(small, tmp_path / "exports")
    assert contents(tmp_path) == before


def test_a_file_cannot_be_the_folder_or_above_it(small: Connection, tmp_path: Path) -> None:
    """And it is not overwritten."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StudyflowError, match=r"file: this is a file\. Name a folder"):
        export(small, tmp_path / "file")
    with pytest.raises(StudyflowError, match=r"below: .*file is a file\. Choose another folder"):
        export(small, tmp_path / "file" / "below")
    assert contents(tmp_path) == {"file": b"mine"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_write_protection_counts(small: Connection, tmp_path: Path) -> None:
    """Also that of the folder itself, although only the one above it is changed."""
    for protected in (tmp_path / "exports", tmp_path):
        (tmp_path / "exports").mkdir(exist_ok=True)
        protected.chmod(0o555)
        with pytest.raises(StudyflowError, match=r"write-protected|cannot be written \(Permission denied\)"):
            export(small, tmp_path / "exports")
        protected.chmod(0o755)


def test_the_folder_must_be_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is swapped for another: the warehouse must not move with it, nor the folder that someone stands in."""
    for place in ("data", "work/here"):
        (tmp_path / place).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "here")
    with duckdb.connect(str(tmp_path / "data" / "w.duckdb")) as connection:
        fill(connection, PEOPLE)
        for folder, says in (
            (tmp_path / "data", r"w\.duckdb is in it"),
            (Path(), "this is .*here"),
            (Path("../../work"), "here is in it"),
        ):
            with pytest.raises(StudyflowError, match=rf"{says}\. Name a folder of its own"):
                export(connection, folder)
        export(connection, Path("exports"))
    assert set(contents(tmp_path)) >= {"data/w.duckdb", "work/here/exports/done.csv"}


class FullDisk(io.FileIO):
    """A file on a disk that has room for the header of a table and little more."""

    def write(self, data: Any, /) -> int:  # noqa: ANN401
        """Take a little."""
        if self.tell() > 300:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(bytes(data)[:200])


@pytest.mark.parametrize("parquet", [False, True])
def test_a_full_disk_leaves_what_was_there(
    small: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, parquet: bool
) -> None:
    """The new files are whole or not there."""
    export(small, tmp_path / "exports")
    before = contents(tmp_path)
    really_open = Path.open

    def open_on_full_disk(path: Path, mode: str = "r", **more: Any) -> Any:  # noqa: ANN401
        return io.BufferedWriter(FullDisk(path, "x")) if mode == "xb" else really_open(path, mode, **more)

    monkeypatch.setattr(Path, "open", open_on_full_disk)
    with pytest.raises(StudyflowError, match="the disk is full, so nothing was exported"):
        export(small, tmp_path / "exports", ExportOptions(parquet=parquet))
    monkeypatch.undo()
    assert contents(tmp_path) == before
