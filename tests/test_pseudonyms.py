"""Pseudonyms in exports: no id in any file, the same person everywhere, and nothing left in place that was made otherwise."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from export_builds import begin, build, load, tables_in
from export_warehouse import PEOPLE, PSEUDONYMISED, PSEUDONYMS, STATUSES, contents, person, warehouse
from hypothesis import given
from hypothesis import strategies as st
from processes import studyflow

from pipelines.errors import StudyflowError
from pipelines.export import ExportOptions, Pseudonyms, export
from pipelines.export.pseudonyms import KEY, KEY_FILE, from_environment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection
else:
    Connection = object

OTHER = Pseudonyms(b"another key, long enough")


@pytest.fixture
def small() -> Iterator[Connection]:
    """A warehouse with a first build, in which someone takes part twice."""
    with warehouse([]) as connection:
        begin(connection)
        load(connection)
        build(connection, [*PEOPLE, person("p-99", "st-2", "INVITE_SENT", person_id="person of p-1")])
        yield connection


def test_the_files_are_what_they_were(tmp_path: Path) -> None:
    """Who joins files of this month with those of last month needs the same pseudonyms for ever."""
    with warehouse() as connection:
        export(connection, tmp_path / "exports", ExportOptions(pseudonyms=PSEUDONYMS))
    assert contents(tmp_path / "exports") == contents(PSEUDONYMISED)


def test_a_pseudonym_is_the_start_of_an_hmac(small: Connection, tmp_path: Path) -> None:
    """Others can compute it, with the key, to find someone again: HMAC-SHA256 of the kind, a zero byte and the id."""
    export(small, tmp_path / "exports", ExportOptions(parquet=True, pseudonyms=PSEUDONYMS))
    made = pl.read_parquet(tmp_path / "exports" / "participants.parquet")
    names = {
        kind: hmac.new(PSEUDONYMS.key, f"{kind}\0{one}".encode(), hashlib.sha256).hexdigest()[:32]
        for kind, one in (("participant", "p-99"), ("person", "person of p-1"))
    }
    assert made.filter(person_id=names["person"]).height == 2
    assert made.filter(participant_id=names["participant"])["study_id"].to_list() == ["st-2"]


def test_no_id_is_in_any_file(small: Connection, tmp_path: Path) -> None:
    """Nor in the name of one, nor in what an export remembers; and there is not one row more or less."""
    folder = tmp_path / "exports"
    people = [
        person(f"who-{n}", f"st-{n % 3}", list(STATUSES)[n % len(STATUSES)], person_id=f"they-{n}") for n in range(50)
    ]
    build(small, people)
    exported = export(small, folder, ExportOptions(parquet=True, by_study=True, pseudonyms=PSEUDONYMS))
    assert exported.rows == export(small, folder, ExportOptions(parquet=True, by_study=True)).rows
    export(small, folder, ExportOptions(parquet=True, by_study=True, pseudonyms=PSEUDONYMS))
    for name, content in contents(folder).items():
        assert b"who-" not in content, name
        assert b"they-" not in content, name
        assert PSEUDONYMS.key not in content, name


def test_rows_are_in_the_order_of_pseudonyms(small: Connection, tmp_path: Path) -> None:
    """In the order of the ids, who knows some of them could tell who stands between."""
    export(small, tmp_path / "exports", ExportOptions(pseudonyms=PSEUDONYMS))
    made = pl.read_csv(tmp_path / "exports" / "participants.csv")
    assert made.equals(made.sort("study_id", "participant_id"))


@given(ids=st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True), key=st.binary(min_size=16))
def test_pseudonyms_tell_apart_what_ids_tell_apart(ids: list[str], key: bytes) -> None:
    """Whatever ids hold; and a participant and a person of the same id have two that do not show it."""
    names = Pseudonyms(key)
    made = {names.of(kind, one) for one in ids for kind in ("participant", "person")}
    assert len(made) == 2 * len(ids)
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in made)


@pytest.mark.parametrize(("before", "now"), [(None, PSEUDONYMS), (PSEUDONYMS, None), (PSEUDONYMS, OTHER)])
def test_nothing_is_taken_from_an_export_with_other_names(
    small: Connection, tmp_path: Path, before: Pseudonyms | None, now: Pseudonyms | None
) -> None:
    """One id among pseudonyms would be a leak, and two keys in one file cannot be joined."""
    folder = tmp_path / "exports"
    export(small, folder, ExportOptions(by_study=True, pseudonyms=before))
    assert export(small, folder, ExportOptions(by_study=True, pseudonyms=now)).wrote == "all"
    export(small, tmp_path / "whole", ExportOptions(by_study=True, pseudonyms=now))
    assert tables_in(folder) == tables_in(tmp_path / "whole")


def test_with_the_same_key_an_export_that_is_there_is_left(small: Connection, tmp_path: Path) -> None:
    """As without pseudonyms: the same people have the same names."""
    folder = tmp_path / "exports"
    export(small, folder, ExportOptions(by_study=True, pseudonyms=PSEUDONYMS))
    assert export(small, folder, ExportOptions(by_study=True, pseudonyms=Pseudonyms(PSEUDONYMS.key))).wrote == "nothing"


def test_the_key_shows_nowhere(small: Connection, tmp_path: Path) -> None:
    """Not where objects are printed, and not in what is left to recognise it by."""
    assert "sixteen" not in repr(PSEUDONYMS)
    assert "sixteen" not in PSEUDONYMS.fingerprint
    export(small, tmp_path / "exports", ExportOptions(pseudonyms=PSEUDONYMS))
    left = small.sql("from duckdb_functions() where function_name = 'pseudonym_of'").fetchall()
    assert left == [], "with this function, whoever has the connection can look ids up"


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in a file has the line end that its editor gave it; that is no part of it."""
    file = tmp_path / "key"
    file.write_text("0123456789abcdef\n")
    monkeypatch.setenv(KEY, "0123456789abcdef")
    assert from_environment().key == b"0123456789abcdef"
    monkeypatch.setenv(KEY_FILE, str(file))
    with pytest.raises(StudyflowError, match="both set"):
        from_environment()
    monkeypatch.setenv(KEY, "")
    assert from_environment().key == b"0123456789abcdef"
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "none"))
    with pytest.raises(StudyflowError, match="cannot be read"):
        from_environment()


@pytest.mark.parametrize("environment", [{}, {KEY: "too short"}, {KEY: "  " * 20}])
@pytest.mark.parametrize("command", ["run", "export"])
def test_without_a_key_nothing_is_done(tmp_path: Path, command: str, environment: dict[str, str]) -> None:
    """Before anything is loaded: a run that ends with ids in the exports could not be taken back."""
    places = ("--database", tmp_path / "w.duckdb", "--exports", tmp_path / "out")
    done = studyflow(command, "--pseudonymise", *places, **environment)
    assert done.returncode == 2
    assert "secrets.token_hex(32)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_log_of_a_run_without_a_key_ends(tmp_path: Path) -> None:
    """A reader of the log waits for the event that ends it, whatever went wrong."""
    done = studyflow("run", "--pseudonymise", "--log-json", "--database", tmp_path / "w.duckdb")
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert (done.returncode, events) == (2, ["run started", "problem", "run finished"])
