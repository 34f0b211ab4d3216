"""Forgetting a person: as if their lines had never come, for good, wherever ids are, and nobody else loses anything."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from export_warehouse import PSEUDONYMS, contents
from hypothesis import given, settings
from hypothesis import strategies as st
from inbox import compressed
from oracle.history import histories
from oracle.lines import Line, deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES
from product import END_OF_TIME, Product
from strategies import PERSONS, feeds, valid_but, workspaces
from test_cli import studyflow

from pipelines.check import Report
from pipelines.errors import StudyflowError
from pipelines.forget import forgetting, people_file, raw_files
from pipelines.forget.ids import Ids
from pipelines.forget.known import look_up
from pipelines.forget.search import search
from pipelines.forget.warehouse import take_out
from pipelines.load.loader import load
from pipelines.load.sources import look_at
from pipelines.run import export_tables
from pipelines.settings import PROJECT, Forms, Settings
from pipelines.warehouse import connect, warehouse_format

if TYPE_CHECKING:
    from pipelines.errors import SourceError
    from pipelines.forget import Proof

KEPT = (
    "select reason, event_type, participant_id, person_id, study_id, status, prior_status, updated_at, svix_id, "
    "received_at, line, line_bytes from raw.deliveries"
)
LINES = "select coalesce(sum(lines), 0)::bigint, coalesce(sum(blank_lines), 0)::bigint from raw.files where not is_superseded"
PHYSICAL = (
    "select coalesce(sum(next_line - 1 + (open_line_bytes > 0)::int), 0)::bigint from raw.files where not is_superseded"
)
WITHHELD = "select count(*) from raw.forgotten_lines"

SOMEONE, PARTICIPANT = "person-to-forget", "participant-to-forget"
NAUGHTY = (
    SOMEONE,
    "1",
    "'; drop schema raw cascade; --",
    'a "quoted" \\ one',
    "two\nlines\tand a tab",
    "Zoë 佐藤 \U0001f600",
    "$person {} %s ?",
    "nul\0nul",
    "\u202efdp",
    "person of all of them, who has a very long id: " + "x" * 5_000,
)


KILLED_AFTER = 4
"""Seconds: dbt is at work by then."""


class Place:
    """A folder of raw files and a warehouse of them on disk."""

    def __init__(self, folder: str | Path, product: Product) -> None:
        self.folder = Path(folder)
        self.raw = self.folder / "raw"
        self.raw.mkdir()
        self.product = product
        self.settings = Settings(
            (self.raw,),
            self.folder / "w.duckdb",
            self.folder / "exports",
            datetime(2026, 1, 1, tzinfo=UTC),
            reports=self.folder / "reports",
        )

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files and load them."""
        for name, content in files.items():
            (self.raw / name).write_bytes(compressed(name, content))
        self.load()

    def load(self) -> None:
        """Load what is new."""
        with connect(self.settings.database) as connection:
            assert load(connection, [self.raw]).problems == ()

    def forget(self, person: str) -> int:
        """Take them out, as the command does in its working copy; how many lines were theirs."""
        with connect(self.settings.database, read_only=True) as connection:
            known = look_up(connection, person)
        take_out(self.settings, known)
        return known.lines

    def of(self, query: str) -> list[Any]:
        """What a query gives."""
        with connect(self.settings.database, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def accounts_for(self) -> None:
        """Every line that the files had is counted once, or is forgotten."""
        [(lines, blank)] = self.of(LINES)
        [(physical,)] = self.of(PHYSICAL)
        [(withheld,)] = self.of(WITHHELD)
        assert physical == lines + withheld
        current = "file_id in (select file_id from raw.files where not is_superseded)"
        assert self.of(f"select count(*) from raw.deliveries where {current}") == [(lines - blank,)]


def line(**fields: object) -> bytes:
    """A webhook of the one who is forgotten, but for what is said."""
    return valid_but(**({"personId": SOMEONE, "participantId": PARTICIPANT} | fields)) + b"\n"


class AnyStatus:
    """A table that has every status there could be."""

    def __contains__(self, status: object) -> bool:
        """Yes."""
        return True


def without(files: Mapping[str, bytes], lines: list[Line], person: str) -> tuple[dict[str, bytes], int]:
    """The files without what is a person's, by the oracle and plain words; how many lines that is."""
    standing = {
        history.participant_id: history for history in histories(deliveries(lines), END_OF_TIME, DEFAULT_STATUSES)
    }
    theirs = {history.participant_id for history in standing.values() if history.person_id == person}
    # What is rejected for its status only still says whose it is, unless something later is known.
    whatever = deliveries(read_lines(files, AnyStatus()))
    for participant, some in groupby(
        sorted(whatever, key=lambda one: one.participant_id), lambda one: one.participant_id
    ):
        told = list(some)
        last = max(one.updated_at for one in told)
        history = standing.get(participant)
        if history is None or history.observed[-1].occurred_at < last:
            theirs |= {participant for one in told if one.updated_at == last and one.person_id == person}
    ids = re.compile(
        rb"(?<![\w-])(?:" + b"|".join(re.escape(one.encode()) for one in (person, *theirs)) + rb")(?![\w-])"
    )

    def is_theirs(found: Line) -> bool:
        if found.delivery:
            return found.delivery.person_id == person or found.delivery.participant_id in theirs
        return ids.search(found.raw) is not None

    gone = {(found.source_file, found.line_number) for found in lines if is_theirs(found)}
    left = {
        name: b"\n".join(raw for number, raw in enumerate(content.split(b"\n"), start=1) if (name, number) not in gone)
        for name, content in files.items()
    }
    return left, len(gone)


@settings(max_examples=10)
@given(data=st.data(), person=st.sampled_from(PERSONS))
def test_it_is_as_if_their_lines_had_never_come(product: Product, data: st.DataObject, person: str) -> None:
    """Whatever came, in whatever files. Nor do they come back from new files, and the raw files can be rid of them."""
    files = data.draw(feeds(data.draw(workspaces())))[-1]
    files = {name: content if content.endswith(b"\n") else content + b"\n" for name, content in files.items()}
    left, gone = without(files, read_lines(files, DEFAULT_STATUSES), person)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        place, never = Place(one, product), Place(other, product)
        place.put(files)
        never.put(left)
        with connect(place.settings.database) as connection:
            product.prepare(connection)
            product.build(connection, "participants")
        place.forget(person)
        place.accounts_for()
        expected = sorted(never.of(KEPT), key=repr)
        assert sorted(place.of(KEPT), key=repr) == expected
        assert place.of(LINES) == never.of(LINES)
        assert place.of(WITHHELD) == [(gone,)]
        place.put({"again.jsonl": b"".join(files.values())})
        place.accounts_for()
        assert set(place.of(KEPT)) == set(expected)
        (place.raw / "again.jsonl").unlink()
        with connect(place.settings.database, read_only=True) as connection:
            known = look_up(connection, person)
        problems: list[SourceError] = []
        held = list(raw_files.look_through(sorted(place.raw.iterdir()), known, problems, rewrite=True))
        assert not problems
        assert sum(one.lines for one in held) == gone
        assert {path.name: path.read_bytes() for path in place.raw.iterdir()} == left
        place.load()
        place.accounts_for()
        assert set(place.of(KEPT)) == set(expected)


@pytest.mark.parametrize("person", NAUGHTY)
def test_any_id_is_found_wherever_it_stands(tmp_path: Path, product: Product, person: str) -> None:
    """In columns, in lines that are rejected, written with escapes or without; and not in those of someone alike."""
    others = [
        line(personId=f"{person}0", participantId="another-0"),
        line(personId=f"0{person}", participantId="another-1"),
    ]
    theirs = [
        line(personId=person),
        line(personId=person, status="NEW"),
        line(personId="someone else, before", updatedAt="2025-01-01T00:00:00Z"),
        json.dumps({"_eventType": "person.changed", "who": person}).encode() + b"\n",
        json.dumps({"personId": person}, ensure_ascii=False).encode() + b"\n",
        b'{"personId": ' + json.dumps(person).encode() + b",\n",
    ]
    place = Place(tmp_path, product)
    place.put({"a.jsonl": b"".join(theirs + others)})
    assert place.forget(person) == len(theirs)
    assert [row[3] for row in place.of(KEPT)] == [f"{person}0", f"0{person}"]
    place.accounts_for()
    place.put({"b.jsonl": b"".join(others + theirs)})
    assert len(place.of(KEPT)) == 4
    assert place.of(WITHHELD) == [(2 * len(theirs),)]
    place.accounts_for()


def test_what_others_say_of_them_goes_and_what_others_did_stays(tmp_path: Path, product: Product) -> None:
    """A member that is not modelled can name anyone. The change that it came with is someone else's."""
    said = line(personId="someone", participantId="of-someone", note=f"a friend of {SOMEONE}")
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line() + said})
    place.forget(SOMEONE)
    place.put({"b.jsonl": said})
    rows = [(row[3], row[10]) for row in place.of(KEPT)]
    assert rows == [("someone", None), ("someone", None)]


def test_lines_that_need_a_second_look(tmp_path: Path, product: Product) -> None:
    """Of equal keys the last one holds, and until it is known no byte of what may be theirs goes into the warehouse."""
    last = line(personId="someone", participantId="p").rstrip()[:-1] + b', "personId": "%s"}\n' % SOMEONE.encode()
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line()})
    place.forget(SOMEONE)
    place.put({"b.jsonl": last})
    assert place.of(KEPT) == []
    place.accounts_for()


def test_a_line_without_its_newline_is_counted_once(tmp_path: Path, product: Product) -> None:
    """It is read again when the file goes on, whether it was withheld or not, and can be another then."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line()})
    place.forget(SOMEONE)
    for content in (line() + line()[:-1], line() + line() + b"{}", line() + line() + b"{}{}\n" + line()[:-1]):
        place.put({"a.jsonl": content})
        place.accounts_for()
    assert place.of(WITHHELD) == [(3,)]


def test_no_byte_stays_in_the_file(tmp_path: Path, product: Product) -> None:
    """Nor when there was enough of it that DuckDB wrote it out long before, and tables were made of it."""
    place = Place(tmp_path, product)
    others = (line(personId=f"other-{n}", participantId=f"of-other-{n}") for n in range(3_000))
    place.put({"a.jsonl": line() * 3_000 + b"".join(others)})
    with connect(place.settings.database) as connection:
        connection.execute("create schema state; create table state.more as select * from raw.deliveries")
    assert SOMEONE.encode() in place.settings.database.read_bytes()
    place.forget(SOMEONE)
    place.put({"b.jsonl": line() * 3_000})
    for file in place.folder.glob("w.duckdb*"):
        assert SOMEONE.encode() not in file.read_bytes()
        assert PARTICIPANT.encode() not in file.read_bytes()
    assert place.of("select count(*) from raw.deliveries") == [(3_000,)]
    assert place.of("select format from raw.format") == [(warehouse_format(),)]


def test_the_search_finds_what_is_left(tmp_path: Path, product: Product) -> None:
    """A proof that always says that nothing is left proves nothing."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line() + line(personId=f"{SOMEONE}-2", participantId="other")})
    exports = place.settings.exports
    exports.mkdir()
    with connect(place.settings.database, read_only=True) as connection:
        known = look_up(connection, SOMEONE)
    assert len(search(place.settings.database, [exports], known).found) == 3, "two columns and the bytes"
    take_out(place.settings, known)
    assert search(place.settings.database, [exports], known).found == []
    (exports / "participants.csv").write_text(f"participant_id,person_id\n'{PARTICIPANT},x\n")
    (exports / "notes.txt").write_text(f"Call {SOMEONE}!")
    (exports / "others.txt").write_text(f"Call {SOMEONE}-2!")
    with connect(place.settings.database) as connection:
        connection.execute(f"create table raw.notes as select 'about {SOMEONE}' as note, '{SOMEONE}'::blob as bytes")
        connection.execute(f"copy (select '{SOMEONE}' as person_id) to '{exports / 'a.parquet'}'")
    found = search(place.settings.database, [exports], known).found
    assert [Path(place).name for place in found[-3:]] == ["a.parquet", "notes.txt", "participants.csv"]
    assert [place.partition(":")[0] for place in found[:2]] == ["raw.notes.note", "raw.notes.bytes"]


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_raw_file_keeps_all_other_bytes(tmp_path: Path, product: Product, ending: str) -> None:
    """Carriage returns, blank lines, bytes that are no text, an unfinished last line: a file is not ours to tidy."""
    kept = [
        b"\r\n",
        b"\xff\xfe\n",
        b'{"a": 1}   \r\n',
        line(personId="other", participantId="of-other"),
        b'{"unfinished',
    ]
    place = Place(tmp_path, product)
    place.put({f"a.jsonl{ending}": line() + b"".join([*kept[:2], line(), *kept[2:]])})
    file = place.raw / f"a.jsonl{ending}"
    file.chmod(0o640)
    (tmp_path / "link.jsonl").symlink_to(file)
    with connect(place.settings.database, read_only=True) as connection:
        known = look_up(connection, SOMEONE)
    problems: list[SourceError] = []
    [held] = raw_files.look_through([tmp_path / "link.jsonl", file], known, problems, rewrite=False)
    assert (held.lines, held.is_rewritten) == (2, False)
    [held] = raw_files.look_through([tmp_path / "link.jsonl", file], known, problems, rewrite=True)
    assert (held.lines, held.is_rewritten, problems) == (2, True, [])
    assert b"".join(raw_files.lines_of(look_at(file))) == b"".join(kept)
    assert (file.stat().st_mode & 0o777, (tmp_path / "link.jsonl").is_symlink()) == (0o640, True)
    assert [path.name for path in place.raw.iterdir()] == [file.name]


def test_a_raw_file_that_changes_meanwhile_stays_as_it_is(
    tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver may be writing to it: what it writes must not be lost."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line()})
    file = place.raw / "a.jsonl"
    packed = raw_files.packed

    def meanwhile(*given: Any) -> Any:  # noqa: ANN401
        with file.open("ab") as growing:
            growing.write(b"{}\n")
        return packed(*given)

    monkeypatch.setattr(raw_files, "packed", meanwhile)
    with connect(place.settings.database, read_only=True) as connection:
        known = look_up(connection, SOMEONE)
    problems: list[SourceError] = []
    assert list(raw_files.look_through([file], known, problems, rewrite=True)) == []
    assert "changed while it was rewritten" in str(problems)
    assert file.read_bytes() == line() + b"{}\n"
    assert list(place.raw.iterdir()) == [file]


def test_a_raw_file_with_another_name_is_left_alone(tmp_path: Path, product: Product) -> None:
    """Under that it would stay as it was, and nobody would know."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line()})
    (tmp_path / "backup").hardlink_to(place.raw / "a.jsonl")
    with connect(place.settings.database, read_only=True) as connection:
        known = look_up(connection, SOMEONE)
    problems: list[SourceError] = []
    assert list(raw_files.look_through([place.raw / "a.jsonl"], known, problems, rewrite=True)) == []
    assert "hard links" in str(problems)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"person_id,person_name\n{SOMEONE},A\nother,B", "person_id,person_name\nother,B"),
        (
            f'\ufeffperson_name,person_id\r\n"A\r\nof B",{SOMEONE}\r\nC,other\r\n',
            "\ufeffperson_name,person_id\r\nC,other\r\n",
        ),
        (f"\nTeam,Person ID\nA, {SOMEONE} \nB,other\n", "\nTeam,Person ID\nB,other\n"),
        (f'Person_ID\n"{SOMEONE}"\nother\n', "Person_ID\nother\n"),
        (f"person_name\n{SOMEONE}\n", f"person_name\n{SOMEONE}\n"),
        ("", ""),
    ],
)
def test_people_csv_keeps_all_other_rows(tmp_path: Path, text: str, left: str) -> None:
    """Byte for byte, however it was written."""
    file = tmp_path / "people.csv"
    file.write_bytes(text.encode())
    assert people_file.rows_of(file, SOMEONE) == int(text != left)
    people_file.take_out(file, SOMEONE)
    assert file.read_bytes() == left.encode()
    assert list(tmp_path.iterdir()) == [file]


def test_ids_do_not_show() -> None:
    """An object that is printed, in a message or a log, must not have the id in it."""
    assert SOMEONE not in repr(Ids(SOMEONE, (PARTICIPANT,)))


def test_where_nobody_was_forgotten_it_costs_nothing(
    tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every load would pay for what few ever need."""
    monkeypatch.setattr("pipelines.load.parsing.KEPT_LINES", "select no such column")
    Place(tmp_path, product).put({"a.jsonl": line()})


@dataclass
class Whole:
    """A warehouse with its tables, where dbt's part is done by the compiled project."""

    place: Place
    settings: Settings
    tables: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, product: Product, content: bytes, *tables: str) -> "Whole":
        """All of what a file says, or some tables and what these are made of."""
        folder.mkdir()
        place = Place(folder, product)
        place.settings = replace(place.settings, studies_file=folder / "studies.csv", people_file=folder / "people.csv")
        place.put({"a.jsonl": content})
        whole = cls(place, place.settings, tables or tuple(model["name"] for model in product.models.values()))
        whole.build(place.settings)
        return whole

    def build(self, settings: Settings) -> None:
        """Make every table."""
        product = self.place.product
        with connect(settings.database) as connection:
            product.prepare(connection)
            product.build(connection, *self.tables, as_of=settings.as_of)

    def is_as(self, other: "Whole") -> None:
        """Every table that does not tell of files and loads has the same rows."""
        with connect(self.settings.database, read_only=True) as connection:
            connection.execute(f"attach '{other.settings.database}' as other (read_only)")
            compared = 0
            for model in self.place.product.models.values():
                table = f"{model['schema']}.{model['name']}"
                if model["config"]["materialized"] == "view" or model["name"] in {"load_files", "stg_changes"}:
                    continue
                for ours, theirs in ((table, f"other.{table}"), (f"other.{table}", table)):
                    columns = ", ".join(
                        f'"{name}"'
                        for name, *_ in connection.execute(f"describe {table}").fetchall()
                        if not re.search(r"file|line", name)
                    )
                    query = f"select {columns} from {ours} except all select {columns} from {theirs} limit 3"
                    assert connection.execute(query).fetchall() == [], f"rows of {ours} only"
                compared += 1
            assert compared > 30


OTHERS = b"".join(
    line(personId=f"other-{n % 3}", participantId=f"of-other-{n}", studyId=f"study-{n % 2}", status=status)
    for n in range(6)
    for status in ("INVITE_SENT", "INTERVIEW_SCHEDULED", "INTERVIEW_COMPLETED")
)
THEIRS = line() + line(status="OPTED_OUT", updatedAt="2025-04-01T00:00:00Z") + line(status=7)


NEEDED = ("participants", "people", "built_as_of", "load_files")


@pytest.fixture
def whole(tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch) -> Whole:
    """One in which the person is."""
    return with_them(tmp_path, product, monkeypatch, *NEEDED)


def with_them(tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch, *tables: str) -> Whole:
    """A warehouse in which the person is, and in people.csv; forgetting makes it anew as it was made."""
    made = Whole.of(tmp_path / "one", product, THEIRS + OTHERS, *tables)
    passed = Report(made.settings.as_of, strict=False, rows={}, rules=0, failures=[], warnings=[])
    monkeypatch.setattr(forgetting, "build_tables", made.build)
    monkeypatch.setattr(forgetting, "check_copy", lambda *_, **__: passed)
    made.settings.people_file.write_text(f"person_id,person_name\n{SOMEONE},A\nother-1,B\n")
    return made


def forget(settings: Settings, *, rewrite: bool = True, person: str = SOMEONE) -> "Proof":
    """What the command does once it was told yes."""
    return forgetting.forget(settings, person, (), rewrite=rewrite, waiting=None)


def test_all_tables_and_exports_are_as_if_they_had_never_been(
    tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table and every file; and the proof says what happened, and does not say who it was."""
    whole = with_them(tmp_path, product, monkeypatch)
    export_tables(whole.settings, Forms(by_study=True, parquet=True), as_of_must_match=False)
    never = Whole.of(tmp_path / "other", whole.place.product, OTHERS)
    export_tables(never.settings, Forms(by_study=True, parquet=True), as_of_must_match=False)
    proof = forget(whole.settings)
    whole.is_as(never)
    assert contents(whole.settings.exports) == contents(never.settings.exports)
    assert (whole.place.raw / "a.jsonl").read_bytes() == OTHERS
    assert whole.settings.people_file.read_text() == "person_id,person_name\nother-1,B\n"
    assert proof.is_done
    assert proof.tables["raw.deliveries"] == (3 + 18, 18)
    assert proof.tables["marts.people"] == (4, 3)
    told = json.dumps(proof.as_dict()) + "\n".join(proof.sentences())
    assert "3 lines of this person" in told
    assert SOMEONE not in told
    assert PARTICIPANT not in told
    assert not list(whole.settings.database.parent.glob(".*studyflow*"))


def test_said_again_it_says_that_nothing_is_left(whole: Whole) -> None:
    """And does nothing: not a byte of the warehouse is another."""
    first = forget(whole.settings, rewrite=False)
    assert [(held.lines, held.is_rewritten) for held in first.raw_files] == [(3, False)]
    assert first.still_held
    before = whole.settings.database.read_bytes()
    again = forget(whole.settings)
    assert whole.settings.database.read_bytes() == before
    assert again.is_done
    assert again.still_held == []
    assert "Nothing of this person" in again.sentences()[0]
    assert again.forgotten_before is not None
    (whole.place.raw / "a.jsonl").rename(whole.place.folder / "away")
    assert forget(whole.settings).missing == [str(whole.place.raw / "a.jsonl")]


@pytest.mark.parametrize("step", ["take_out", "build_tables", "export_tables", "search"])
def test_what_is_cut_off_is_finished_by_the_next_try(
    tmp_path: Path, whole: Whole, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every boundary: till then either all of the warehouse is as it was, or nothing of them is in it."""
    export_tables(whole.settings, Forms(by_study=True), as_of_must_match=False)
    before = whole.settings.database.read_bytes()

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(forgetting, step, cut_off)
        with pytest.raises(KeyboardInterrupt):
            forget(whole.settings)
    if step in {"take_out", "build_tables"}:
        assert whole.settings.database.read_bytes() == before
    assert forget(whole.settings).is_done
    never = Whole.of(tmp_path / "other", whole.place.product, OTHERS, *NEEDED)
    export_tables(never.settings, Forms(by_study=True), as_of_must_match=False)
    assert contents(whole.settings.exports) == contents(never.settings.exports)
    assert (whole.place.raw / "a.jsonl").read_bytes() == OTHERS


def test_exports_with_pseudonyms_stay_so(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export with ids in place of one without would tell more than was ever told. Without the key nothing is done."""
    export_tables(whole.settings, Forms(pseudonyms=PSEUDONYMS), as_of_must_match=False)
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
    (whole.place.raw / "b.jsonl").write_bytes(THEIRS + OTHERS)
    whole.place.load()
    assert {person for (person,) in whole.place.of("select distinct person_id from raw.deliveries")} == {
        "other-0",
        "other-2",
    }
    assert whole.place.of("select count(distinct salt), count(distinct person_hash) from raw.forgotten") == [(1, 2)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--person", SOMEONE], 2, "Say --yes"),
        (["--person", "nobody", "--yes"], 1, "nobody here has this id"),
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


@pytest.mark.slow
def test_for_real(tmp_path: Path) -> None:
    """With dbt, as people do it: run, forget (killed once on the way), run again; nothing is back, nothing is in a log."""
    raw, proof = tmp_path / "raw", tmp_path / "proof.json"
    raw.mkdir()
    (raw / "a.jsonl").write_bytes(THEIRS + OTHERS)
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
    (raw / "b.jsonl").write_bytes(THEIRS + OTHERS[:200])
    assert run()["accounting"]["forgotten"] == 6
    (raw / "b.jsonl").unlink()
    assert studyflow(*words, "--raw-files", **dbt).returncode == 0
    after = run()
    assert (after["accounting"]["lines"], after["participants"]) == (18, 6)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SOMEONE.encode() not in file.read_bytes(), file
