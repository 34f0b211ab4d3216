"""Where an export may go, whose it stays, and what it must not take away."""

import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from export_killed import put
from export_warehouse import PEOPLE, contents, fill, person, warehouse

from pipelines import run as steps
from pipelines.cli import main
from pipelines.errors import StudyflowError
from pipelines.export import ExportOptions, export
from pipelines.export.destination import check_destination
from pipelines.export.replace import MANIFEST
from pipelines.settings import PROJECT, Settings
from pipelines.system import DRAFT, OLD_DRAFT_SECONDS, write_atomically
from pipelines.warehouse import connect

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
DAY = datetime(2026, 7, 30, 8, tzinfo=UTC)


def settings_of(folder: Path, people: list[dict[str, object]]) -> Settings:
    """A warehouse whose marts have these people."""
    database = folder / "w.duckdb"
    with connect(database) as connection:
        fill(connection, people)
        connection.execute("create schema if not exists audit")
        connection.execute("create or replace table audit.built_as_of as select ?::timestamptz as as_of", [DAY])
    return Settings((folder / "raw",), database, folder / "exports", DAY)


def many(number: int) -> list[dict[str, object]]:
    return [person(f"p-{n}", f"st-{n % 3}", "INVITE_SENT") for n in range(number)]


@pytest.mark.parametrize(
    ("had", "has", "is_refused"), [(10, 4, True), (10, 5, False), (1, 0, True), (2, 1, False), (0, 0, False)]
)
def test_an_export_that_drops_most_of_what_is_there_wants_force(
    tmp_path: Path, had: int, has: int, *, is_refused: bool
) -> None:
    """A source that is empty by mistake left one line of 14,655, without the folders and the workbook."""
    options = ExportOptions(by_study=True, workbook=True)
    steps.export_tables(settings_of(tmp_path, many(had)), options)
    before = contents(tmp_path / "exports")
    settings = settings_of(tmp_path, many(has))
    if is_refused:
        with pytest.raises(StudyflowError, match=f"has {had} participants, and this one would have {has}.*--force"):
            steps.export_tables(settings, ExportOptions())
        assert contents(tmp_path / "exports") == before
    steps.export_tables(settings, ExportOptions(force=is_refused))
    assert (tmp_path / "exports" / "participants.csv").read_text().count("\n") == has + 1


def test_another_form_of_the_same_people_drops_nobody(tmp_path: Path) -> None:
    """Folders of studies and the workbook go when they are no longer asked for."""
    settings = settings_of(tmp_path, many(9))
    steps.export_tables(settings, ExportOptions(by_study=True, parquet=True, workbook=True))
    steps.export_tables(settings, ExportOptions())
    assert not (tmp_path / "exports" / "studyflow.xlsx").exists()
    assert not (tmp_path / "exports" / "st-1").exists()


def test_an_export_of_an_earlier_version_is_counted(tmp_path: Path) -> None:
    """Its manifest does not say how many people it has."""
    steps.export_tables(settings_of(tmp_path, many(10)), ExportOptions())
    manifest = tmp_path / "exports" / MANIFEST
    said = json.loads(manifest.read_text())
    del said["made"]["participants"]
    manifest.write_text(json.dumps(said))
    with pytest.raises(StudyflowError, match="has 10 participants"):
        steps.export_tables(settings_of(tmp_path, many(1)), ExportOptions())


def test_the_sample_may_go(tmp_path: Path) -> None:
    """Whoever tried that first has less of their own at the start."""
    steps.export_tables(settings_of(tmp_path, many(10)), ExportOptions())
    manifest = tmp_path / "exports" / MANIFEST
    manifest.write_text(manifest.read_text().replace('"is_sample": false', '"is_sample": true'))
    steps.export_tables(settings_of(tmp_path, many(1)), ExportOptions())


def test_the_command_ends_with_1_and_takes_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.stopping.handle_signals", lambda: None)
    for people, options, code in ((10, [], 0), (1, [], 1), (1, ["--force"], 0)):
        settings = settings_of(tmp_path, many(people))
        words = ["export", "--database", settings.database, "--exports", settings.exports, *options]
        monkeypatch.setattr(sys, "argv", ["studyflow", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == code


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("home", "Name a folder of its own"),
        ("/", "mount point|Name a folder of its own"),
        ("project", "Name a folder of its own"),
        ("above the project", "is in it"),
        ("repository", "root of a repository"),
        ("documents", "files that studyflow did not write, e.g. thesis.odt"),
        ("raw", "Name a folder of its own"),
        ("above raw", "raw is in it"),
        ("file", "this is a file"),
        ("below a file", "is a file"),
    ],
)
def test_a_folder_that_is_for_something_else_is_refused_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    """It was refused after the whole build, or not at all."""
    places = {
        "home": tmp_path / "home",
        "/": Path("/"),
        "project": PROJECT,
        "above the project": PROJECT.parent,
        "repository": tmp_path / "repository",
        "documents": tmp_path / "documents",
        "raw": tmp_path / "inbox" / "raw",
        "above raw": tmp_path / "inbox",
        "file": tmp_path / "file",
        "below a file": tmp_path / "file" / "exports",
    }
    for folder in ("home", "repository/.git", "documents", "inbox/raw"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "documents" / "thesis.odt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    before = contents(tmp_path)
    settings = Settings((tmp_path / "inbox" / "raw",), tmp_path / "w.duckdb", places[name], DAY)
    with pytest.raises(StudyflowError, match=says):
        steps.run_all(settings, ExportOptions(), strict=False, console=None)
    assert contents(tmp_path) == before


def test_bad_places_for_reports_are_refused_before_anything_is_done_too(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("somebody's own page")
    settings = Settings(
        (tmp_path / "raw",), tmp_path / "w.duckdb", tmp_path / "x", DAY, reports=tmp_path, reports_kept=3
    )
    with pytest.raises(StudyflowError, match="studyflow did not write this"):
        steps.run_all(settings, ExportOptions(), strict=False, console=None)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_folder_of_exports_may_have_files_of_others_by_and_by(tmp_path: Path) -> None:
    """But it begins with none: only what makes no folder somebody's."""
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / ".gitkeep").write_text("")
    assert check_destination(tmp_path / "exports") == tmp_path / "exports"
    put(tmp_path / "exports", {"a": "1"})
    (tmp_path / "exports" / "notes.txt").write_text("mine")
    assert check_destination(tmp_path / "exports") == tmp_path / "exports"


def test_a_service_without_a_home_may_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert check_destination(tmp_path / "exports") == tmp_path / "exports"


@pytest.mark.skipif(not IS_ROOT, reason="only root gives folders away")
def test_a_shared_folder_stays_that_of_its_team(tmp_path: Path) -> None:
    """root:users 2770 became root:root, and a whole team could no longer read it."""
    shared = tmp_path / "exports"
    shared.mkdir()
    os.chown(shared, 1234, 100)
    shared.chmod(0o2770)
    with warehouse() as connection:
        for people in (PEOPLE, PEOPLE[:7]):
            fill(connection, people)
            export(connection, shared, ExportOptions(by_study=True))
    found = shared.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1234, 100, 0o2770)
    assert {path.stat().st_gid for path in shared.rglob("*")} == {100}, "files and folders in it, too"


@pytest.mark.skipif(not IS_ROOT, reason="only root gives folders away")
def test_a_folder_whose_group_cannot_be_kept_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exports").mkdir()
    os.chown(tmp_path / "exports", -1, 4321)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    with pytest.raises(StudyflowError, match=r"a group that you are not in \(number 4321\)"):
        check_destination(tmp_path / "exports")
    monkeypatch.setattr(os, "getgroups", lambda: [4321])
    assert check_destination(tmp_path / "exports") == tmp_path / "exports"


@pytest.mark.parametrize("name", ["old", "new", "manifest", "drafts-1"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_in_the_work_folder_is_not_followed(tmp_path: Path, name: str, *, is_there: bool) -> None:
    """Whoever may write beside the exports could else have files of others moved, overwritten or removed."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis").write_text("mine")
    (precious / MANIFEST).write_text(json.dumps({"files": ["thesis"]}))
    before = contents(precious)
    if is_there:
        put(tmp_path / "exports", {"a": "1"})
    work = tmp_path / ".exports.studyflow-export"
    work.mkdir()
    (work / name).symlink_to(precious / MANIFEST if name == "manifest" else precious)
    put(tmp_path / "exports", {"a": "2"})
    assert contents(precious) == before
    assert not (tmp_path / "exports").is_symlink()
    assert contents(tmp_path / "exports")["a"] == b"2"
    assert not work.exists()


def test_files_are_not_moved_through_a_link_in_the_exports(tmp_path: Path) -> None:
    """An export that was killed left a note in a folder of a study, and there is a link of that name now."""
    (tmp_path / "elsewhere").mkdir()
    put(tmp_path / "exports", {"study/a": "1"})
    (tmp_path / "exports" / "study" / "notes.txt").write_text("mine")
    work = tmp_path / ".exports.studyflow-export"
    work.mkdir()
    shutil.move(tmp_path / "exports", work / "old")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "study").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StudyflowError, match="studyflow did not write this"):
        put(tmp_path / "exports", {"b": "2"})
    assert contents(tmp_path / "elsewhere") == {}
    assert (work / "old" / "study" / "notes.txt").read_text() == "mine"


def test_drafts_of_a_workbook_lie_where_the_next_export_clears_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """34 exports that were killed left 164 MB with ids in the system's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    left = tmp_path / ".exports.studyflow-export" / "drafts-x"
    left.mkdir(parents=True)
    (left / "sheet").write_text("ids")
    with warehouse() as connection:
        export(connection, tmp_path / "exports", ExportOptions(workbook=True))
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]
    assert (tmp_path / "exports" / "studyflow.xlsx").stat().st_size > 1000


def test_a_report_is_not_written_behind_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name before it is done could be told, and a link put there."""
    (tmp_path / "precious").write_text("mine")
    monkeypatch.setattr("pipelines.system.secrets.token_hex", lambda _: "told")
    (tmp_path / f".index.html.told{DRAFT}").symlink_to(tmp_path / "precious")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "index.html", "new")
    (tmp_path / "index.html").symlink_to(tmp_path / "precious")
    write_atomically(tmp_path / "index.html", "new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "index.html").is_symlink()


def test_drafts_of_reports_that_were_killed_go_but_not_those_at_work(tmp_path: Path) -> None:
    """`.index.html.12345` stayed for good."""
    old, young = tmp_path / f".index.html.1{DRAFT}", tmp_path / f".index.html.2{DRAFT}"
    for draft in (old, young):
        draft.write_text("half")
    os.utime(old, (0, old.stat().st_mtime - OLD_DRAFT_SECONDS - 60))
    write_atomically(tmp_path / "other.html", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {young.name, "other.html"}
