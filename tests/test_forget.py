"""Forgetting a person in the warehouse: as if their lines had never come, for good, and nobody else loses anything."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from forgetting import LINES, PARTICIPANT, SOMEONE, WITHHELD, Place, line, without
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.lines import read_lines
from oracle.reference import DEFAULT_STATUSES
from product import Product
from strategies import PERSONS, feeds, workspaces

from pipelines.forget import raw_files
from pipelines.forget.known_person import Ids
from pipelines.forget.search import search
from pipelines.forget.warehouse import remove_person
from pipelines.warehouse import connect, warehouse_format

if TYPE_CHECKING:
    from pipelines.errors import SourceError

KEPT = (
    "select reason, event_type, participant_id, person_id, study_id, status, prior_status, updated_at, svix_id, "
    "received_at, line, line_bytes from raw.deliveries"
)
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


@settings(max_examples=5)
@given(data=st.data(), person=st.sampled_from(PERSONS))
def test_it_is_as_if_their_lines_had_never_come(product: Product, data: st.DataObject, person: str) -> None:
    """As `as_if_never` says, of some histories. Many runs see many."""
    as_if_never(product, data, person)


@pytest.mark.slow(reason="the same for more histories")
@settings(max_examples=7)
@given(data=st.data(), person=st.sampled_from(PERSONS))
def test_of_more_histories_it_is_as_if_their_lines_had_never_come(
    product: Product, data: st.DataObject, person: str
) -> None:
    as_if_never(product, data, person)


def as_if_never(product: Product, data: st.DataObject, person: str) -> None:
    """Whatever came, in whatever files. Nor do they come back from new files, and the raw files can be rid of them."""
    files = data.draw(feeds(data.draw(workspaces())))[-1]
    files = {name: content if content.endswith(b"\n") else content + b"\n" for name, content in files.items()}
    kept, removed = without(files, read_lines(files, DEFAULT_STATUSES), person)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        place, never = Place(one, product), Place(other, product)
        place.put(files)
        never.put(kept)
        with connect(place.settings.database) as connection:
            product.prepare(connection)
            product.build(connection, "participants")
        place.forget(person)
        place.accounts_for()
        expected = sorted(never.of(KEPT), key=repr)
        assert sorted(place.of(KEPT), key=repr) == expected
        assert place.of(LINES) == never.of(LINES)
        assert place.of(WITHHELD) == [(removed,)]
        place.put({"again.jsonl": b"".join(files.values())})
        place.accounts_for()
        assert set(place.of(KEPT)) == set(expected)
        (place.raw / "again.jsonl").unlink()
        known = place.known(person)
        problems: list[SourceError] = []
        matches = list(raw_files.look_through(sorted(place.raw.iterdir()), known, problems, rewrite=True))
        assert not problems
        assert sum(match.lines for match in matches) == removed
        assert {path.name: path.read_bytes() for path in place.raw.iterdir()} == kept
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
    lines_of_person = [
        line(personId=person),
        line(personId=person, status="NEW"),
        line(personId="someone else, before", updatedAt="2025-01-01T00:00:00Z"),
        json.dumps({"_eventType": "person.changed", "who": person}).encode() + b"\n",
        json.dumps({"personId": person}, ensure_ascii=False).encode() + b"\n",
        b'{"personId": ' + json.dumps(person).encode() + b",\n",
    ]
    place = Place(tmp_path, product)
    place.put({"a.jsonl": b"".join(lines_of_person + others)})
    assert place.forget(person) == len(lines_of_person)
    assert [row[3] for row in place.of(KEPT)] == [f"{person}0", f"0{person}"]
    place.accounts_for()
    place.put({"b.jsonl": b"".join(others + lines_of_person)})
    assert len(place.of(KEPT)) == 4
    assert place.of(WITHHELD) == [(2 * len(lines_of_person),)]
    place.accounts_for()


def test_an_opt_out_by_email_is_theirs(tmp_path: Path, product: Product) -> None:
    """It names no person. The address does, which people.csv has for them, unless others have it, too."""

    def opt_out(email: str) -> bytes:
        return json.dumps({"_eventType": "person.opted_out", "email": email, "optedOut": True}).encode() + b"\n"

    place = Place(tmp_path, product)
    place.settings.people_file.write_text(
        f"person_id,email\n{SOMEONE},Ada@example.org\n{SOMEONE},team@example.org\nother,team@example.org\n",
        encoding="utf-8",
    )
    events = (
        opt_out("Ada@example.org")
        + opt_out("team@example.org")
        + opt_out("not.Ada@example.org")
        + opt_out("Ada@example.org.uk")
    )
    place.put({"a.jsonl": line() + events})
    assert place.forget(SOMEONE) == 2
    assert len(place.of(KEPT)) == 3
    place.settings.people_file.unlink()
    place.put({"b.jsonl": opt_out("Ada@example.org") + opt_out("ada@example.org")})
    assert len(place.of(KEPT)) == 3, "nor do others come in later"


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
    for content in (line() + line()[:-1], line() + line() + b"{}", line() + line() + b"{}}\n" + line()[:-1]):
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
    known = place.known()
    assert len(search(place.settings.database, [exports], known).found) == 3, "two columns and the bytes"
    remove_person(place.settings, known)
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


def test_ids_do_not_show() -> None:
    """An object that is printed, in a message or a log, must not have the id in it."""
    assert SOMEONE not in repr(Ids(SOMEONE, (PARTICIPANT,)))


def test_where_nobody_was_forgotten_it_costs_nothing(
    tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every load would pay for what few ever need."""
    monkeypatch.setattr("pipelines.load.withhold.WITHHOLD", "select no such column")
    Place(tmp_path, product).put({"a.jsonl": line()})
