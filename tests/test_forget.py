"""Forgetting a person: as if their lines had never come, for good, wherever ids are, and nobody else loses anything."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inbox import compressed
from oracle.history import histories
from oracle.lines import Line, deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES
from product import END_OF_TIME, Product
from strategies import PERSONS, feeds, valid_but, workspaces

from pipelines.forget import people_file, raw_files
from pipelines.forget.ids import Ids
from pipelines.forget.known import look_up
from pipelines.forget.search import search
from pipelines.forget.warehouse import take_out
from pipelines.load.loader import load
from pipelines.load.sources import look_at
from pipelines.settings import Settings
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pipelines.errors import SourceError

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


class Place:
    """A folder of raw files and a warehouse of them on disk."""

    def __init__(self, folder: str | Path, product: Product) -> None:
        self.folder = Path(folder)
        self.raw = self.folder / "raw"
        self.raw.mkdir()
        self.product = product
        self.settings = Settings(
            (self.raw,), self.folder / "w.duckdb", self.folder / "exports", datetime(2026, 1, 1, tzinfo=UTC)
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


def without(files: Mapping[str, bytes], lines: list[Line], person: str) -> tuple[dict[str, bytes], int]:
    """The files without what is a person's, by the oracle and plain words; how many lines that is."""
    theirs = {
        history.participant_id
        for history in histories(deliveries(lines), END_OF_TIME, DEFAULT_STATUSES)
        if history.person_id == person
    }
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


@settings(max_examples=15)
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


def test_the_search_finds_what_is_left(tmp_path: Path, product: Product) -> None:
    """A proof that always says that nothing is left proves nothing."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line() + line(personId=f"{SOMEONE}-2", participantId="other")})
    exports = place.settings.exports
    exports.mkdir()
    with connect(place.settings.database, read_only=True) as connection:
        known = look_up(connection, SOMEONE)
    assert len(search(place.settings.database, exports, known).found) == 3, "two columns and the bytes"
    take_out(place.settings, known)
    assert search(place.settings.database, exports, known).found == []
    (exports / "participants.csv").write_text(f"participant_id,person_id\n'{PARTICIPANT},x\n")
    (exports / "notes.txt").write_text(f"Call {SOMEONE}!")
    (exports / "others.txt").write_text(f"Call {SOMEONE}-2!")
    with connect(place.settings.database) as connection:
        connection.execute(f"create table raw.notes as select 'about {SOMEONE}' as note, '{SOMEONE}'::blob as bytes")
        connection.execute(f"copy (select '{SOMEONE}' as person_id) to '{exports / 'a.parquet'}'")
    found = search(place.settings.database, exports, known).found
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


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"person_id,person_name\n{SOMEONE},A\nother,B", "person_id,person_name\nother,B"),
        (
            f'\ufeffperson_name,person_id\r\n"A\r\nof B",{SOMEONE}\r\nC,other\r\n',
            "\ufeffperson_name,person_id\r\nC,other\r\n",
        ),
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
    monkeypatch.setattr("pipelines.load.loader.KEPT_LINES", "select no such column")
    Place(tmp_path, product).put({"a.jsonl": line()})
