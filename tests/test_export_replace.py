"""An export is there as a whole or not at all, whatever happens, and takes nothing with it that is not its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from export_killed import export_from, killed, put, replaced
from export_warehouse import PEOPLE, contents, fill, warehouse

from pipelines.errors import StudyflowError
from pipelines.export import export, replace
from pipelines.export.replace import MANIFEST
from pipelines.locks import folder_lock
from pipelines.warehouse import connect


@pytest.fixture(params=[True, False], ids=["swap", "two renames"])
def can_exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With the call that swaps two folders in one step, and without, as on some systems and file systems."""
    if not request.param:
        monkeypatch.setattr(replace, "swap_folders", lambda _one, _other: False)
    return bool(request.param)


def texts(folder: Path) -> dict[str, str]:
    """The files in a folder, the manifest left out. No workspace may be left beside it."""
    assert list(folder.parent.glob(".*studyflow*")) == []
    return {name: content.decode() for name, content in contents(folder).items() if name != MANIFEST}


@pytest.mark.usefixtures("can_exchange")
def test_what_is_no_longer_exported_goes_and_the_rest_stays(tmp_path: Path) -> None:
    """A study that is gone must not look as if it were there; a person's notes beside it are theirs."""
    folder = tmp_path / "exports"
    put(folder, {"a": "1", "study/a": "2", "other/a": "3"})
    (folder / "notes.txt").write_text("mine")
    (folder / "study" / "notes.txt").write_text("mine too")
    (folder / "study" / "empty").mkdir()
    (folder / "charts" / "old").mkdir(parents=True)
    (folder / "charts" / "a").write_text("a chart")
    (folder / "link").symlink_to("charts/a")
    inode = (folder / "charts" / "a").stat().st_ino
    put(folder, {"a": "4", "b": "5"})
    mine = {
        "notes.txt": "mine",
        "study/notes.txt": "mine too",
        "study/empty/": "",
        "charts/old/": "",
        "charts/a": "a chart",
    }
    assert texts(folder) == {"a": "4", "b": "5", "link": "a chart"} | mine
    assert (folder / "link").is_symlink()
    assert (folder / "charts" / "a").stat().st_ino == inode
    put(folder, {"charts/b": "6"})
    assert texts(folder) == {"charts/b": "6", "link": "a chart"} | mine


@pytest.mark.parametrize("mine", ["a", "study", "study/a", "a/b"])
def test_a_file_of_someone_else_is_not_overwritten(tmp_path: Path, mine: str) -> None:
    """Neither one that has the name of a table, nor one that has that of a folder, nor a folder named like a table."""
    folder = tmp_path / "exports"
    (folder / mine).parent.mkdir(parents=True)
    (folder / mine).write_text("mine")
    with pytest.raises(
        StudyflowError, match=r"studyflow did not write this, and an export needs its name\. Move it away"
    ):
        put(folder, {"a": "1", "study/a": "2"})
    assert texts(folder) == {mine: "mine"}


def test_a_table_that_someone_edited_is_written_again(tmp_path: Path) -> None:
    """It is ours by name: an export says what the marts say."""
    folder = tmp_path / "exports"
    put(folder, {"a": "1", "b": "2", "c": "3"})
    (folder / "a").write_text("edited")
    (folder / "b").unlink()
    (folder / "b").symlink_to(tmp_path)
    (folder / "c").unlink()
    put(folder, {"a": "4"})
    assert texts(folder) == {"a": "4"}


@pytest.mark.usefixtures("can_exchange")
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """Also Ctrl-C, and also in the first export of all."""
    folder = tmp_path / "exports"

    def fail() -> None:
        with replaced(folder, ["a", "b"]) as new:
            (new / "a").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []
    put(folder, {"a": "1", "c": "2"})
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert texts(folder) == {"a": "1", "c": "2"}


@pytest.mark.usefixtures("can_exchange")
def test_a_failing_swap_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last moment at which something can go wrong."""
    folder = tmp_path / "exports"
    put(folder, {"a": "1"})
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if (path.name, target) == ("new", folder):
            raise PermissionError(1, "no")
        return rename(path, target)

    monkeypatch.setattr(replace, "swap_folders", lambda _one, _other: False)
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(PermissionError):
        put(folder, {"a": "2"})
    assert texts(folder) == {"a": "1"}


def test_a_folder_that_cannot_be_swapped_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume of a container, or a folder of its image."""

    def busy(_one: Path, other: Path) -> bool:
        raise OSError(16, "Device or resource busy", str(other))

    monkeypatch.setattr(replace, "swap_folders", busy)
    with warehouse() as connection:
        export(connection, tmp_path / "exports")
        with pytest.raises(
            StudyflowError, match=r"does not let this folder be replaced as a whole\. Name a folder inside it"
        ):
            export(connection, tmp_path / "exports")


def test_one_export_at_a_time(tmp_path: Path) -> None:
    """Two at once would clear each other's files away."""
    folder = tmp_path / "exports"
    with replaced(folder, ["a"]) as new:
        (new / "a").write_text("first")
        with pytest.raises(StudyflowError, match=r"another process is exporting to this folder\. Wait"):
            put(folder, {"a": "second"})
    assert texts(folder) == {"a": "first"}
    with folder_lock(tmp_path / "w") as first, folder_lock(tmp_path / "w") as second:
        assert (first, second) == (True, False)
    assert not (tmp_path / "w").exists()


def test_a_link_stays_a_link_and_a_folder_keeps_its_rights(tmp_path: Path) -> None:
    """Exports often go to a shared folder, through a link."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2775)
    (tmp_path / "exports").symlink_to(shared)
    with warehouse() as connection:
        for _ in range(2):
            export(connection, tmp_path / "exports")
    assert (tmp_path / "exports").is_symlink()
    assert shared.stat().st_mode & 0o7777 == 0o2775
    assert (shared / "done.csv").is_file()


@pytest.mark.parametrize(
    "manifest", ["{", "[]", '{"files": 3}', '{"files": ["../mine", "/mine", ["a"], null, "../../mine"]}']
)
def test_a_manifest_that_was_tampered_with_reaches_nothing_outside(tmp_path: Path, manifest: str) -> None:
    """It says what may be removed, so it must not be believed beyond the folder. A broken one names nothing."""
    folder = tmp_path / "exports"
    (tmp_path / "mine").write_text("mine")
    put(folder, {"a": "1"})
    (folder / MANIFEST).write_text(manifest)
    with pytest.raises(StudyflowError, match="studyflow did not write this"):
        put(folder, {"a": "2"})
    put(folder, {"b": "3"})
    assert texts(folder) == {"a": "1", "b": "3"}
    assert (tmp_path / "mine").read_text() == "mine"


def test_the_manifest_lists_the_files(tmp_path: Path) -> None:
    """Whoever finds the folder can see what is kept up to date."""
    put(tmp_path / "exports", {"study/a": "1", "b": "2"})
    assert json.loads((tmp_path / "exports" / MANIFEST).read_text())["files"] == ["b", "study/a"]


OLD = {"a": "1", "study/a": "2"}
NEW = {"a": "3", "b": "4", "other/a": "5"}


def states(
    folder: Path, work: Callable[[Path, Any], None], what: object, *, step: int, can_exchange: bool
) -> list[str]:
    """What the folder holds after the work was killed at each step-th touch: old, new, nothing, or a mix."""
    put(folder, OLD)
    old = contents(folder)
    work(folder, what)
    new = contents(folder)
    seen: list[str] = []
    was_killed = True
    while was_killed:
        put(folder, OLD)
        (folder / "study" / "notes.txt").write_text("mine")
        was_killed = killed(folder, step * len(seen), work, what, can_exchange=can_exchange)
        found = {name: text for name, text in contents(folder).items() if name not in {"study/notes.txt", "study/"}}
        seen.append("old" if found == old else "new" if found == new else "mixed" if found else "nothing")
        put(folder, OLD)
        assert texts(folder) == OLD | {"study/notes.txt": "mine"}, "the next export puts everything right"
    return seen


def test_killed_at_any_point_it_leaves_the_old_files_or_the_new(tmp_path: Path, *, can_exchange: bool) -> None:
    """Killed before each thing it does to the disk. Never some of each; and nothing of others is lost.

    Where two folders cannot be swapped in one step, the folder is missing for the moment between two renames.
    """
    seen = states(tmp_path / "place" / "exports", put, NEW, step=1, can_exchange=can_exchange)
    turns = [state for state, before in zip(seen, [None, *seen], strict=False) if state != before]
    assert turns == (["old", "new"] if can_exchange else ["old", "nothing", "new"])
    assert seen.count("nothing") == int(not can_exchange)
    assert min(seen.count("old"), seen.count("new")) > 10


def test_a_killed_export_leaves_the_old_tables_or_the_new(tmp_path: Path) -> None:
    """The same from the warehouse on."""
    database = tmp_path / "w.duckdb"
    with connect(database) as connection:
        fill(connection, PEOPLE)
    seen = states(tmp_path / "place" / "exports", export_from, database, step=6, can_exchange=True)
    assert set(seen) == {"old", "new"}
