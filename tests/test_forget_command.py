"""Forgetting a person from one end to the other: tables, exports, reports, files, and what the command says of it."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from export_warehouse import PSEUDONYMS, contents
from forgetting import (
    LINES_OF_OTHERS,
    LINES_OF_PERSON,
    NAME,
    NEEDED,
    PARTICIPANT,
    PEOPLE,
    ROWS_OF_PERSON,
    SOMEONE,
    Whole,
    forget,
    warehouse_with_person,
    with_test_build,
)
from processes import studyflow
from product import Product

from pipelines.errors import StudyflowError
from pipelines.export import ExportOptions
from pipelines.forget import forgetting
from pipelines.run import export_tables, run_all
from pipelines.settings import PROJECT, Settings

pytestmark = pytest.mark.usefixtures("parsed_project")

KILLED_AFTER = 4
"""Seconds: dbt is at work by then."""


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, product: Product) -> Whole:
    """One in which the person is, for all tests to copy."""
    return warehouse_with_person(tmp_path_factory.mktemp("one"), product, *NEEDED)


@pytest.fixture
def whole(tmp_path: Path, one: Whole, monkeypatch: pytest.MonkeyPatch) -> Whole:
    """A copy of it."""
    return with_test_build(one.copied(tmp_path / "one"), monkeypatch)


@pytest.fixture(scope="module")
def never(tmp_path_factory: pytest.TempPathFactory, product: Product) -> dict[str, bytes]:
    """What is exported if the person has never been there."""
    made = Whole.of(tmp_path_factory.mktemp("never"), product, LINES_OF_OTHERS, *NEEDED)
    export_tables(made.settings, ExportOptions(by_study=True), as_of_must_match=False)
    return contents(made.settings.exports)


def test_all_tables_and_exports_are_as_if_they_had_never_been(
    tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table and every file; and the proof says what happened, and does not say who it was."""
    whole = with_test_build(warehouse_with_person(tmp_path / "one", product), monkeypatch)
    export_tables(whole.settings, ExportOptions(by_study=True, parquet=True), as_of_must_match=False)
    people = PEOPLE + ROWS_OF_PERSON.partition("\n")[2]
    never = Whole.of(tmp_path / "other", whole.place.product, LINES_OF_OTHERS, people=people)
    export_tables(never.settings, ExportOptions(by_study=True, parquet=True), as_of_must_match=False)
    proof = forget(whole.settings)
    whole.assert_equals(never)
    assert contents(whole.settings.exports) == contents(never.settings.exports)
    assert (whole.place.raw / "a.jsonl").read_bytes() == LINES_OF_OTHERS
    assert whole.settings.people_file.read_text() == PEOPLE + ROWS_OF_PERSON.partition("\n")[2]
    assert proof.is_done
    assert proof.tables["raw.deliveries"] == (3 + 18, 18)
    assert proof.tables["marts.people"] == (4, 3)
    assert proof.tables["staging.stg_people"] == (3, 2)
    assert nowhere(whole.place.folder, SOMEONE, PARTICIPANT, NAME)
    told = json.dumps(proof.as_dict()) + "\n".join(proof.sentences())
    assert "3 lines about this person" in told
    assert SOMEONE not in told
    assert PARTICIPANT not in told
    assert not list(whole.settings.database.parent.glob(".*studyflow*"))


def test_someone_who_is_only_in_people_csv(whole: Whole) -> None:
    """They have a name in the warehouse, and no webhook. Without --raw-files the file keeps them, and no table does."""
    proof = forget(whole.settings, person="only-here", rewrite=False)
    assert (proof.known.lines, proof.is_done) == (0, True)
    assert proof.still_held == [f"{whole.settings.people_file}: 1 row"]
    whole.build(whole.settings)
    assert whole.place.of("select person_id from staging.stg_people where person_name like 'Grace%'") == []
    assert forget(whole.settings, person="only-here").is_done
    assert nowhere(whole.place.folder, "only-here", "Grace Onlyhere")


def test_a_name_that_is_left_is_told(whole: Whole) -> None:
    """Nothing is taken out because of a name alone; but it must not be said that it is nowhere."""
    whole.settings.exports.mkdir()
    (whole.settings.exports / "guests.txt").write_text(f"For lunch: {NAME}")
    proof = forget(whole.settings)
    assert proof.search.found == [str(whole.settings.exports / "guests.txt")]
    assert not proof.is_done


def test_said_again_it_says_that_nothing_is_left(whole: Whole) -> None:
    """And does nothing: not a byte of the warehouse is another."""
    first = forget(whole.settings, rewrite=False)
    assert [(match.lines, match.is_rewritten) for match in first.raw_files] == [(3, False)]
    assert first.still_held
    before = whole.settings.database.read_bytes()
    again = forget(whole.settings)
    assert whole.settings.database.read_bytes() == before
    assert again.is_done
    assert again.still_held == []
    assert "has no data on this person any more" in again.sentences()[0]
    assert again.known.forgotten_at is not None
    whole.place.load()
    (whole.place.raw / "a.jsonl").rename(whole.place.folder / "away")
    assert forget(whole.settings).missing == [str(whole.place.raw / "a.jsonl")]


OTHER_STEP = pytest.mark.slow(
    reason="two forgettings each; before and after the warehouse is in place are tried always"
)


@pytest.mark.parametrize(
    "step",
    [
        "build_tables",
        "look_through",
        *(pytest.param(step, marks=OTHER_STEP) for step in ("remove_person", "export_tables", "search")),
    ],
)
def test_what_is_cut_off_is_finished_by_the_next_try(
    whole: Whole, never: dict[str, bytes], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every boundary: till then either all of the warehouse is as it was, or nothing of them is in it."""
    export_tables(whole.settings, ExportOptions(by_study=True), as_of_must_match=False)
    before = whole.settings.database.read_bytes()

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(forgetting, step, cut_off)
        with pytest.raises(KeyboardInterrupt):
            forget(whole.settings)
    if step in {"remove_person", "build_tables"}:
        assert whole.settings.database.read_bytes() == before
    assert forget(whole.settings).is_done
    assert nowhere(whole.place.folder, SOMEONE, PARTICIPANT, NAME)
    assert contents(whole.settings.exports) == never
    assert (whole.place.raw / "a.jsonl").read_bytes() == LINES_OF_OTHERS


def test_exports_with_pseudonyms_stay_so(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export with ids in place of one without would tell more than was ever told. Without the key nothing is done."""
    export_tables(whole.settings, ExportOptions(pseudonyms=PSEUDONYMS), as_of_must_match=False)
    before = whole.settings.database.read_bytes()
    with pytest.raises(StudyflowError, match="need a secret key"):
        forget(whole.settings)
    monkeypatch.setenv("STUDYFLOW_PSEUDONYM_KEY", "another key, long enough")
    with pytest.raises(StudyflowError, match="with another key"):
        forget(whole.settings)
    assert whole.settings.database.read_bytes() == before
    monkeypatch.setenv("STUDYFLOW_PSEUDONYM_KEY", PSEUDONYMS.key.decode())
    forget(whole.settings)
    text = (whole.settings.exports / "participants.csv").read_text()
    assert "other-1" not in text
    assert PSEUDONYMS.of("person", "other-1") in text
    assert PSEUDONYMS.of("person", SOMEONE) not in text


def test_a_second_person_is_forgotten_as_the_first(whole: Whole) -> None:
    """One salt serves all, and who was forgotten before stays so."""
    forget(whole.settings)
    assert forget(whole.settings, person="other-1").is_done
    (whole.place.raw / "b.jsonl").write_bytes(LINES_OF_PERSON + LINES_OF_OTHERS)
    whole.place.load()
    assert {person for (person,) in whole.place.of("select distinct person_id from raw.deliveries")} == {
        "other-0",
        "other-2",
    }
    assert whole.place.of("select count(distinct salt), count(distinct person_hash) from raw.forgotten") == [(1, 2)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--person", SOMEONE], 2, "pass --yes"),
        (["--person", "nobody", "--yes"], 1, "unknown person id"),
        (["--person", " ", "--yes"], 2, "is blank"),
    ],
)
def test_who_does_not_say_clearly_what_they_want(whole: Whole, words: list[str], code: int, said: str) -> None:
    """A pipe cannot be asked, a typing mistake must not pass for done, and an unset variable is nobody."""
    before = whole.settings.database.read_bytes()
    done = studyflow("forget", *words, "--database", whole.settings.database, "--exports", whole.settings.exports)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert SOMEONE not in done.stderr
    assert whole.settings.database.read_bytes() == before


def nowhere(folder: Path, *texts: str) -> bool:
    """Whether no byte of them is in any file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return not [path for path in files for text in texts if text.encode() in path.read_bytes()]


@pytest.mark.slow(reason="a run and two forgettings with dbt; test_someone_who_is_only_in_people_csv covers it without")
def test_with_people_csv_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dbt: the tables are built while the file still has the row, and the name is nowhere all the same."""
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    folder = tmp_path / "all"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "a.jsonl").write_bytes(LINES_OF_PERSON + LINES_OF_OTHERS)
    (folder / "people.csv").write_text(PEOPLE + ROWS_OF_PERSON)
    settings = Settings(
        (folder / "raw",),
        folder / "w.duckdb",
        folder / "exports",
        datetime(2026, 1, 1, tzinfo=UTC),
        reports=folder / "reports",
        people_file=folder / "people.csv",
    )
    run_all(settings, ExportOptions(workbook=True), strict=False, console=None)
    assert forget(settings).is_done
    assert nowhere(folder, SOMEONE, PARTICIPANT, NAME)
    assert forget(settings, person="only-here").is_done
    assert nowhere(folder, "only-here", "Grace Onlyhere")


@pytest.mark.slow(reason="seven real processes, most of which build with dbt; the tests above cover each step")
def test_for_real(tmp_path: Path) -> None:
    """With dbt, as people do it: run, forget (killed once on the way), run again; nothing is back, nothing is in a log."""
    raw, proof = tmp_path / "raw", tmp_path / "proof.json"
    raw.mkdir()
    (raw / "a.jsonl").write_bytes(LINES_OF_PERSON + LINES_OF_OTHERS)
    places = ("--database", tmp_path / "w.duckdb", "--exports", tmp_path / "out")
    dbt = {"DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path / "logs")}

    def run() -> dict[str, Any]:
        done = studyflow("run", "--raw", raw, *places, "--as-of", "2026-01-01T00:00:00Z", "--json", **dbt)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    run()
    words = ("forget", "--person", SOMEONE, "--yes", "--proof", proof, *places)
    killed = subprocess.Popen([sys.executable, "-m", "pipelines", *map(str, words)], cwd=PROJECT, env=os.environ | dbt)
    time.sleep(KILLED_AFTER)
    killed.kill()
    assert killed.wait() == -9
    done = studyflow(*words, **dbt)
    assert done.returncode == 0, done.stderr
    assert json.loads(proof.read_text())["search"]["found"] == []
    after = run()
    assert (after["accounting"]["forgotten"], after["accounting"]["lines"], after["participants"]) == (3, 18, 6)
    (raw / "b.jsonl").write_bytes(LINES_OF_PERSON + LINES_OF_OTHERS[:200])
    assert run()["accounting"]["forgotten"] == 6
    (raw / "b.jsonl").unlink()
    assert studyflow(*words, "--raw-files", **dbt).returncode == 0
    after = run()
    assert (after["accounting"]["lines"], after["participants"]) == (18, 6)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SOMEONE.encode() not in file.read_bytes(), file
