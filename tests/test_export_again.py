"""An export after a build that only put in what is new: the same bytes as one made whole, for less work."""

import errno
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from export_builds import begin, build, load, tables_in
from export_killed import export_by_study_from, killed
from export_warehouse import FORMULA, PEOPLE, STATUSES, contents, person, warehouse
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import StudyflowError
from pipelines.export import Exported, Format, export, splice
from pipelines.export.copy import copy_range
from pipelines.export.parts import PARTS
from pipelines.export.replace import MANIFEST
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection
else:
    Connection = object

NEW = [*PEOPLE[1:], person("p-9", "st-1", "SURVEY_COMPLETED"), person("p-0", "st-0", "INVITE_SENT")]
OTHERS = [person(f"q-{n}", f"st-{n % 3 + 2}", list(STATUSES)[n % len(STATUSES)]) for n in range(40)]


@pytest.fixture
def small() -> Iterator[Connection]:
    """A warehouse with a first build."""
    with warehouse([]) as connection:
        begin(connection)
        load(connection)
        build(connection, PEOPLE + OTHERS)
        yield connection


def check(connection: Connection, folder: Path, *, by_study: bool = False) -> Exported:
    """Export again, and hold it against an export to a folder where there is none yet."""
    again = export(connection, folder, by_study=by_study)
    whole = export(connection, folder.with_name("whole"), by_study=by_study)
    assert whole.wrote == "all"
    assert tables_in(folder) == tables_in(whole.folder)
    assert list(again.rows.values()) == list(whole.rows.values())
    shutil.rmtree(whole.folder)
    return again


ids = st.sampled_from(
    ["a", "A", "a,b", 'a"b', "a\nb", "a\r\nb", "", " ", FORMULA, "é", "佐", "\U0001f600", "\uffff", "a\0", "..", "zz"]
)
people_of_a_study = st.dictionaries(ids, st.sampled_from(sorted(STATUSES)), max_size=4)


@settings(max_examples=12)
@given(
    rounds=st.lists(st.dictionaries(ids, people_of_a_study, max_size=5), min_size=2, max_size=5),
    by_study=st.booleans(),
    at_once=st.sampled_from([1, 3, 10_000]),
    chance=st.randoms(use_true_random=False),
)
def test_any_course_of_builds_gives_what_a_whole_export_gives(
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[dict[str, dict[str, str]]],
    by_study: bool,  # noqa: FBT001
    at_once: int,
    chance: random.Random,
) -> None:
    """Studies come first, last and in between, win and lose people, stay as they are, and go, whatever ids hold."""
    folder = tmp_path_factory.mktemp("again") / "exports"
    studies: dict[str, list[dict[str, Any]]] = {}
    with warehouse([]) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.export.mart.ROWS_AT_ONCE", at_once)
        begin(connection)
        for number, touched in enumerate(rounds):
            for study, people in touched.items():
                studies[study] = [person(one, study, people[one], status_changes=number) for one in people]
            everyone = [row for people in studies.values() for row in people]
            chance.shuffle(everyone)
            load(connection)
            build(connection, everyone, touched if number else None)
            assert check(connection, folder, by_study=by_study).wrote == ("touched" if number else "all")


@pytest.mark.parametrize("by_study", [False, True])
def test_only_what_was_touched_is_read(small: Connection, tmp_path: Path, *, by_study: bool) -> None:
    """Else it would cost what all costs: what the marts say of a study that is not touched makes no difference."""
    export(small, tmp_path / "exports", by_study=by_study)
    build(small, NEW + OTHERS, {"st-0", "st-1"})
    whole = export(small, tmp_path / "whole", by_study=by_study)
    small.execute("update marts.participants set status_changes = 999 where study_id not in ('st-0', 'st-1')")
    again = export(small, tmp_path / "exports", by_study=by_study)
    assert (again.wrote, whole.wrote) == ("touched", "all")
    assert tables_in(again.folder) == tables_in(whole.folder)
    assert list(again.rows.values()) == list(whole.rows.values())


def test_a_table_in_which_nothing_changes_is_the_file_it_was(small: Connection, tmp_path: Path) -> None:
    """Also the folder of a study. Programs that look at the time of change need not read it again."""
    folder = tmp_path / "exports"
    build(small, [*OTHERS, person("p", "invited", "INVITE_SENT")])
    export(small, folder, by_study=True)
    names = (
        "done.csv",
        "st-2/done.csv",
        "st-2/participants.csv",
        "invited.csv",
        "participants.csv",
        "invited/done.csv",
    )
    before = [(folder / name).stat() for name in names]
    build(small, [*OTHERS, person("p", "invited", "INVITE_SENT", status_changes=9)], {"invited"})
    assert check(small, folder, by_study=True).wrote == "touched"
    after = [(folder / name).stat() for name in names]
    same = [
        old.st_ino == new.st_ino and old.st_mtime_ns == new.st_mtime_ns for old, new in zip(before, after, strict=True)
    ]
    assert same == [True, True, True, False, False, False]


def changed(path: Path) -> tuple[int, ...]:
    """Which file it is and when it was last changed, in whatever way; not when it was last read."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@pytest.mark.parametrize("formats", [("csv",), ("csv", "parquet")])
def test_the_same_build_is_not_exported_again(small: Connection, tmp_path: Path, formats: tuple[Format, ...]) -> None:
    """Nothing is written, and what came of it is told as if it had been."""
    folder = tmp_path / "exports"
    first = export(small, folder, formats=formats, by_study=True)
    (folder / "notes.txt").write_text("mine")
    before = {path: changed(path) for path in folder.rglob("*")}
    again = export(small, folder, formats=formats, by_study=True)
    assert (again.wrote, again.rows) == ("nothing", first.rows)
    assert {path: changed(path) for path in folder.rglob("*")} == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_build_that_touched_nothing_costs_nothing(small: Connection, tmp_path: Path) -> None:
    """As most do: a later as-of, and nobody did anything. The next can build on it."""
    folder = tmp_path / "exports"
    export(small, folder)
    before = {name: (folder / name).stat().st_ino for name in tables_in(folder) if name != MANIFEST}
    for _ in range(2):
        build(small, PEOPLE + OTHERS, ())
        assert check(small, folder).wrote == "touched"
        assert {name: (folder / name).stat().st_ino for name in before} == before


def test_a_study_is_written_if_its_counts_say_so(small: Connection, tmp_path: Path) -> None:
    """Touched or not: a file must not say that there are other people than there are."""
    export(small, tmp_path / "exports")
    build(small, NEW + OTHERS, ())
    assert check(small, tmp_path / "exports").wrote == "touched"


def edit(folder: Path, _: Connection) -> None:
    text = (folder / "done.csv").read_bytes()
    (folder / "done.csv").write_bytes(text.replace(b"st-1", b"st-7"))


def lengthen(folder: Path, _: Connection) -> None:
    status = (folder / "done.csv").stat()
    with (folder / "done.csv").open("a") as file:
        file.write("more\n")
    os.utime(folder / "done.csv", ns=(status.st_atime_ns, status.st_mtime_ns))


def delete(folder: Path, _: Connection) -> None:
    (folder / "st-2" / "done.csv").unlink()


def replace_by_link(folder: Path, _: Connection) -> None:
    (folder / "done.csv").rename(folder.with_name("mine.csv"))
    (folder / "done.csv").symlink_to(folder.with_name("mine.csv"))


def forget(folder: Path, _: Connection) -> None:
    (folder / PARTS).unlink()


def said(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / PARTS).read_text())
    return found


def cut(folder: Path, _: Connection) -> None:
    (folder / PARTS).write_text((folder / PARTS).read_text()[:-9])


def move_a_bound(folder: Path, _: Connection) -> None:
    changed = said(folder)
    changed["studies"][-1][2][0] += 1
    (folder / PARTS).write_text(json.dumps(changed))


def count_below_nothing(folder: Path, _: Connection) -> None:
    changed = said(folder)
    changed["studies"][0][2][0] -= 10_000
    changed["studies"][-1][2][0] += 10_000
    (folder / PARTS).write_text(json.dumps(changed))


def count_too_far(folder: Path, _: Connection) -> None:
    changed = said(folder)
    changed["studies"][0][2][0] = 10**30
    (folder / PARTS).write_text(json.dumps(changed))


def leave_a_stage_out(folder: Path, _: Connection) -> None:
    changed = said(folder)
    changed["studies"][0][2].pop()
    (folder / PARTS).write_text(json.dumps(changed))


def lead_outside(folder: Path, _: Connection) -> None:
    changed = said(folder)
    changed["studies"] = [[study, "../outside", *more] for study, _, *more in changed["studies"]]
    (folder / PARTS).write_text(json.dumps(changed))


def by_an_older_version(folder: Path, _: Connection) -> None:
    (folder / PARTS).write_text(json.dumps(said(folder) | {"made_with": "another"}))


def a_build_between(_: Path, connection: Connection) -> None:
    build(connection, PEOPLE, {"st-2"})


def another_load(_: Path, connection: Connection) -> None:
    """Another warehouse, of which nothing but the time of its load differs, or a copy that went its own way."""
    connection.execute("update raw.loads set loaded_at = loaded_at + interval 1 microsecond")


def another_as_of(folder: Path, _: Connection) -> None:
    changed = said(folder)
    changed["build"]["as_of"] = "0"
    (folder / PARTS).write_text(json.dumps(changed))


@pytest.mark.parametrize(
    "change",
    [
        *(edit, lengthen, delete, replace_by_link, forget, cut),
        *(move_a_bound, count_below_nothing, count_too_far, leave_a_stage_out, lead_outside),
        *(by_an_older_version, a_build_between, another_load, another_as_of),
    ],
)
def test_where_the_export_of_before_will_not_do_all_is_written(
    small: Connection, tmp_path: Path, change: Callable[[Path, Any], None]
) -> None:
    """Someone changed a file, or the export is not of the tables that the build began with."""
    folder = tmp_path / "exports"
    export(small, folder, by_study=True)
    change(folder, small)
    build(small, NEW + OTHERS, {"st-0", "st-1"})
    assert check(small, folder, by_study=True).wrote == "all"
    build(small, PEOPLE + OTHERS, {"st-0", "st-1"})
    assert check(small, folder, by_study=True).wrote == "touched", "from here on it goes as usual"


@pytest.mark.parametrize("change", [edit, lengthen, delete, replace_by_link, forget, cut, by_an_older_version])
def test_a_changed_file_is_put_right_although_nothing_was_built(
    small: Connection, tmp_path: Path, change: Callable[[Path, Any], None]
) -> None:
    """It is ours by name, so it says what the marts say."""
    folder = tmp_path / "exports"
    export(small, folder, by_study=True)
    change(folder, small)
    assert check(small, folder, by_study=True).wrote == "all"


def no_build_ended(connection: Connection) -> None:
    connection.execute("delete from state.last_build")


def an_older_dbt(connection: Connection) -> None:
    connection.execute("drop table state.last_build")


def a_newer_dbt(connection: Connection) -> None:
    connection.execute("alter table state.this_build rename as_of to until")


def another_stage_name(connection: Connection) -> None:
    connection.execute("update reference.stages set export_name = 'finished' where stage = 'Done'")


def another_column(connection: Connection) -> None:
    connection.execute("alter table marts.participants add column more integer default 1")


@pytest.mark.parametrize("change", [no_build_ended, an_older_dbt, a_newer_dbt, another_stage_name, another_column])
def test_where_the_warehouse_is_another_all_is_written(
    small: Connection, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    """No word of a build that ended, or tables of another shape."""
    export(small, tmp_path / "exports")
    build(small, NEW + OTHERS, {"st-0", "st-1"})
    change(small)
    assert check(small, tmp_path / "exports").wrote == "all"
    assert (tmp_path / "exports" / PARTS).exists() == (change in {another_stage_name, another_column})


def test_what_is_asked_for_counts(small: Connection, tmp_path: Path) -> None:
    """An export with other files is no part of this one; Parquet goes across studies, so it is made whole."""
    folder = tmp_path / "exports"
    export(small, folder)
    assert export(small, folder, by_study=True).wrote == "all"
    assert export(small, folder, formats=("csv", "parquet")).wrote == "all"
    build(small, NEW + OTHERS, {"st-0", "st-1"})
    assert export(small, folder, formats=("csv", "parquet")).wrote == "all"
    assert export(small, folder).wrote == "all"
    assert (folder / "participants.parquet").exists() is False


def test_two_warehouses_may_take_turns(small: Connection, tmp_path: Path) -> None:
    """Their builds have the same numbers. Each export is of the warehouse that it was asked of."""
    folder = tmp_path / "exports"
    with warehouse([]) as other:
        begin(other)
        load(other)
        build(other, OTHERS)
        for people in (PEOPLE + OTHERS, NEW + OTHERS):
            for connection, of_it in ((small, people), (other, OTHERS)):
                load(connection)
                build(connection, of_it, {"st-0", "st-1"})
                assert check(connection, folder).wrote == "all"


def test_a_failed_export_is_made_up_for(small: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export of one run fails, the next run builds on what that run built: all is written."""
    folder = tmp_path / "exports"
    export(small, folder)
    build(small, NEW + OTHERS, {"st-0", "st-1"})
    before = tables_in(folder)
    really_fill = splice.fill

    def edit_while_filling(*given: Any) -> Any:  # noqa: ANN401
        sizes = really_fill(*given)
        (folder / "done.csv").write_text("edited")
        return sizes

    monkeypatch.setattr("pipelines.export.exporter.fill", edit_while_filling)
    with pytest.raises(StudyflowError, match=r"a file in it was changed while it was exported again\. Try again\."):
        export(small, folder)
    monkeypatch.undo()
    assert tables_in(folder) == before | {"done.csv": b"edited"}
    build(small, NEW[1:] + OTHERS, {"st-1", "../../st-1"})
    assert check(small, folder).wrote == "all"


def test_files_of_others_stay(small: Connection, tmp_path: Path) -> None:
    """Wherever they are, and whatever of the export is only linked."""
    folder = tmp_path / "exports"
    export(small, folder, by_study=True)
    for place in ("mine.txt", "st-2/mine.txt", "st-1/mine.txt"):
        (folder / place).write_text("mine")
    build(small, OTHERS, {"st-1", "../../st-1"})
    assert export(small, folder, by_study=True).wrote == "touched"
    assert [(folder / place).read_text() for place in ("mine.txt", "st-2/mine.txt", "st-1/mine.txt")] == ["mine"] * 3
    assert not (folder / "st-1" / "done.csv").exists()


def refuse(problem: int) -> Callable[..., int]:
    """A call of the system that is not to be had here."""

    def call(*_: Any, **__: Any) -> int:  # noqa: ANN401
        raise OSError(problem, os.strerror(problem))

    return call


@pytest.mark.parametrize("without", [[], ["copy_file_range"], ["copy_file_range", "sendfile"]])
@pytest.mark.parametrize("how", ["refuses", "does nothing", "is missing"])
def test_systems_without_a_call_to_copy(
    small: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: list[str], how: str
) -> None:
    """Old ones, some file systems, macOS and Windows; and no second names for files either."""
    export(small, tmp_path / "exports", by_study=True)
    build(small, NEW + OTHERS, {"st-0", "st-1"})
    monkeypatch.setattr("pipelines.export.copy._AT_ONCE", 100)
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    for call in without:
        if how == "is missing":
            monkeypatch.delattr(os, call)
        else:
            monkeypatch.setattr(os, call, refuse(errno.EXDEV) if how == "refuses" else lambda *_: 0)
    assert check(small, tmp_path / "exports", by_study=True).wrote == "touched"


def test_copies_go_on_where_a_call_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may copy less than asked, and what was written before is in Python's buffer."""
    really_copy = os.copy_file_range
    monkeypatch.setattr(os, "copy_file_range", lambda old, new, size, start: really_copy(old, new, min(size, 3), start))
    (tmp_path / "old").write_bytes(b"0123456789")
    with (tmp_path / "old").open("rb") as old, (tmp_path / "new").open("xb") as new:
        new.write(b"a")
        copy_range(old, 2, 9, new)
        new.write(b"b")
        with pytest.raises(OSError, match="became shorter"):
            copy_range(old, 9, 11, new)
    assert (tmp_path / "new").read_bytes() == b"a2345678b9"


@pytest.mark.parametrize("call", ["copy_file_range", "link"])
def test_a_full_disk_leaves_what_was_there(
    small: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Also when it is the system that copies."""
    export(small, tmp_path / "exports")
    before = tables_in(tmp_path / "exports")
    people, touched = (PEOPLE, ()) if call == "link" else (NEW, ("st-0", "st-1"))
    build(small, people + OTHERS, touched)
    for one in ("copy_file_range", call):
        monkeypatch.setattr(os, one, refuse(errno.ENOSPC))
    with pytest.raises(StudyflowError, match="the disk is full, so nothing was exported"):
        export(small, tmp_path / "exports")
    assert tables_in(tmp_path / "exports") == before


def test_killed_at_any_point_it_leaves_the_old_tables_or_the_new(tmp_path: Path) -> None:
    """As one made whole; and the next gives the new, and clears up, also where it finds nothing to write."""
    database, folder = tmp_path / "w.duckdb", tmp_path / "place" / "exports"
    with connect(database) as connection:
        begin(connection)
        load(connection)
        build(connection, PEOPLE + OTHERS)
        export(connection, folder, by_study=True)
        old = tables_in(folder)
        shutil.copytree(folder, tmp_path / "old")
        build(connection, NEW + OTHERS, {"st-0", "st-1"})
        new = tables_in(export(connection, tmp_path / "place" / "whole", by_study=True).folder)
    seen: list[str] = []
    was_killed = True
    while was_killed:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "old", folder)
        was_killed = killed(folder, 15 * len(seen), export_by_study_from, database)
        found = {name: text for name, text in contents(folder).items() if name != PARTS}
        seen.append("old" if found == old else "new" if found == new else "mixed")
        with connect(database, read_only=True) as connection:
            wrote = export(connection, folder, by_study=True).wrote
        assert wrote == ("touched" if seen[-1] == "old" else "nothing")
        assert tables_in(folder) == new
    turns = [state for state, before in zip(seen, [None, *seen], strict=False) if state != before]
    assert turns == ["old", "new"]
