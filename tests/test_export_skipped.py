"""An export is only left as it is where its folder has it already: of this very build, made alike, and untouched."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from export_builds import begin, build, load, tables_in
from export_killed import export_by_study_from, killed
from export_warehouse import PEOPLE, person, warehouse

from pipelines.export import ExportOptions, ExportResult, export
from pipelines.export.replace import MANIFEST
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection
else:
    Connection = object

NEW = [*PEOPLE[1:], person("p-9", "st-1", "SURVEY_COMPLETED"), person("p-0", "st-0", "INVITE_SENT")]


@pytest.fixture
def small() -> Iterator[Connection]:
    """A warehouse with a first build."""
    with warehouse([]) as connection:
        begin(connection)
        load(connection)
        build(connection, PEOPLE)
        yield connection


def check(connection: Connection, folder: Path, *, by_study: bool = True) -> ExportResult:
    """Export again, and hold it against an export to a folder where there is none yet."""
    again = export(connection, folder, ExportOptions(by_study=by_study))
    whole = export(connection, folder.with_name("whole"), ExportOptions(by_study=by_study))
    assert whole.wrote == "all"
    assert tables_in(folder) == tables_in(whole.folder)
    assert list(again.rows.values()) == list(whole.rows.values())
    shutil.rmtree(whole.folder)
    return again


def changed(path: Path) -> tuple[int, ...]:
    """Which file it is and when it was last changed, in whatever way; not when it was last read."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@pytest.mark.parametrize("parquet", [False, True])
def test_the_same_build_is_not_exported_again(small: Connection, tmp_path: Path, *, parquet: bool) -> None:
    """Nothing is written, and what came of it is told as if it had been."""
    folder = tmp_path / "exports"
    first = export(small, folder, ExportOptions(parquet=parquet, by_study=True))
    (folder / "notes.txt").write_text("mine")
    before = {path: changed(path) for path in folder.rglob("*")}
    again = export(small, folder, ExportOptions(parquet=parquet, by_study=True))
    assert (again.wrote, again.rows) == ("nothing", first.rows)
    assert {path: changed(path) for path in folder.rglob("*")} == before
    assert list(tmp_path.iterdir()) == [folder]


def test_another_build_is_exported(small: Connection, tmp_path: Path) -> None:
    """Also one that made the same tables as of a minute later: nobody knows that before they are read."""
    folder = tmp_path / "exports"
    export(small, folder, ExportOptions(by_study=True))
    for people in (NEW, PEOPLE, PEOPLE):
        build(small, people)
        assert check(small, folder).wrote == "all"
        assert check(small, folder).wrote == "nothing"


def edit(folder: Path) -> None:
    text = (folder / "done.csv").read_bytes()
    (folder / "done.csv").write_bytes(text.replace(b"st-1", b"st-7"))


def lengthen(folder: Path) -> None:
    status = (folder / "done.csv").stat()
    with (folder / "done.csv").open("a") as file:
        file.write("more\n")
    os.utime(folder / "done.csv", ns=(status.st_atime_ns, status.st_mtime_ns))


def delete(folder: Path) -> None:
    (folder / "st-1" / "done.csv").unlink()


def delete_a_folder(folder: Path) -> None:
    shutil.rmtree(folder / "st-1")


def replace_by_link(folder: Path) -> None:
    (folder / "done.csv").rename(folder.with_name("mine.csv"))
    (folder / "done.csv").symlink_to(folder.with_name("mine.csv"))


def said(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return found


def by_another_version(folder: Path) -> None:
    (folder / MANIFEST).write_text(json.dumps(said(folder) | {"content": "another"}))


def by_an_older_version(folder: Path) -> None:
    older = {name: value for name, value in said(folder).items() if name not in {"content", "seen"}}
    (folder / MANIFEST).write_text(json.dumps(older))


def leave_a_file_out(folder: Path) -> None:
    found = said(folder)
    del found["seen"]["done.csv"]
    (folder / MANIFEST).write_text(json.dumps(found))


@pytest.mark.parametrize(
    "change",
    [
        *(edit, lengthen, delete, delete_a_folder, replace_by_link),
        *(by_another_version, by_an_older_version, leave_a_file_out),
    ],
)
def test_a_changed_file_is_put_right_although_nothing_was_built(
    small: Connection, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """It is ours by name, so it says what the marts say."""
    folder = tmp_path / "exports"
    export(small, folder, ExportOptions(by_study=True))
    change(folder)
    assert check(small, folder).wrote == "all"
    assert check(small, folder).wrote == "nothing", "from here on it goes as usual"


def no_build_ended(connection: Connection) -> None:
    connection.execute("delete from state.last_build")


def by_an_older_dbt(connection: Connection) -> None:
    connection.execute("drop table state.last_build")


def another_load(connection: Connection) -> None:
    """Another warehouse, of which nothing but the time of its load differs, or a copy that went its own way."""
    connection.execute("update raw.loads set loaded_at = loaded_at + interval 1 microsecond")


def another_stage_name(connection: Connection) -> None:
    connection.execute("update reference.stages set export_name = 'finished' where stage = 'Done'")


def another_column(connection: Connection) -> None:
    connection.execute("alter table marts.participants add column more integer default 1")


@pytest.mark.parametrize("change", [no_build_ended, by_an_older_dbt, another_load, another_stage_name, another_column])
def test_of_another_warehouse_all_is_written(small: Connection, tmp_path: Path, change: Callable[[Any], None]) -> None:
    """No word of a build that ended, another history, or tables of another shape."""
    export(small, tmp_path / "exports", ExportOptions(by_study=True))
    change(small)
    assert check(small, tmp_path / "exports").wrote == "all"


def test_what_is_asked_for_counts(small: Connection, tmp_path: Path) -> None:
    """An export with other files is not this one, and what is no longer asked for goes."""
    folder = tmp_path / "exports"
    export(small, folder)
    assert export(small, folder, ExportOptions(by_study=True)).wrote == "all"
    assert export(small, folder, ExportOptions(parquet=True)).wrote == "all"
    assert export(small, folder).wrote == "all"
    assert not (folder / "participants.parquet").exists()
    assert export(small, folder).wrote == "nothing"


def test_two_warehouses_may_take_turns(small: Connection, tmp_path: Path) -> None:
    """Their builds have the same numbers. Each export is of the warehouse that it was asked of."""
    folder = tmp_path / "exports"
    with warehouse([]) as other:
        begin(other)
        load(other)
        build(other, NEW)
        for connection in (small, other, small, other):
            assert check(connection, folder).wrote == "all"


def test_killed_at_any_point_it_leaves_the_old_tables_or_the_new(tmp_path: Path) -> None:
    """And the next export gives the new, clears up, and finds nothing to write where they are there already."""
    database, folder = tmp_path / "w.duckdb", tmp_path / "place" / "exports"
    with connect(database) as connection:
        begin(connection)
        load(connection)
        build(connection, PEOPLE)
        export(connection, folder, ExportOptions(by_study=True))
        old = tables_in(folder)
        shutil.copytree(folder, tmp_path / "old")
        build(connection, NEW)
        new = tables_in(export(connection, tmp_path / "place" / "whole", ExportOptions(by_study=True)).folder)
    seen: list[str] = []
    was_killed = True
    while was_killed:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "old", folder)
        was_killed = killed(folder, 15 * len(seen), export_by_study_from, database)
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.csv")}
        seen.append("old" if found == old else "new" if found == new else "mixed")
        with connect(database, read_only=True) as connection:
            wrote = export(connection, folder, ExportOptions(by_study=True)).wrote
        assert wrote == ("all" if seen[-1] == "old" else "nothing")
        assert tables_in(folder) == new
    turns = [state for state, before in zip(seen, [None, *seen], strict=False) if state != before]
    assert turns == ["old", "new"]
