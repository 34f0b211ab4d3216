"""Forgetting a person in the files that a user keeps: raw files and people.csv lose their lines and no other byte."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from forgetting import SOMEONE, Place, forget, line
from product import Product

from pipelines.compression import compressed
from pipelines.forget import people_file, raw_files
from pipelines.load.sources import look_at
from pipelines.receive.files import LOCK

if TYPE_CHECKING:
    from pipelines.errors import SourceError

DELIVERED = "select participant_id, updated_at from raw.deliveries where reason is null order by all"


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_raw_file_keeps_all_other_bytes(tmp_path: Path, product: Product, ending: str) -> None:
    """Carriage returns, blank lines, bytes that are no text, an unfinished last line: a file is not ours to tidy.

    In a compressed file, which nobody goes on writing, an unfinished line would be a problem.
    """
    kept = [
        b"\r\n",
        b"\xff\xfe\n",
        b'{"a": 1}   \r\n',
        line(personId="other", participantId="of-other"),
        b'{"unfinished' if not ending else b'{"finished": true}\n',
    ]
    place = Place(tmp_path, product)
    place.put({f"a.jsonl{ending}": line() + b"".join([*kept[:2], line(), *kept[2:]])})
    file = place.raw / f"a.jsonl{ending}"
    file.chmod(0o640)
    (tmp_path / "link.jsonl").symlink_to(file)
    known = place.known()
    problems: list[SourceError] = []
    [match] = raw_files.look_through([tmp_path / "link.jsonl", file], known, problems, rewrite=False)
    assert (match.lines, match.is_rewritten) == (2, False)
    [match] = raw_files.look_through([tmp_path / "link.jsonl", file], known, problems, rewrite=True)
    assert (match.lines, match.is_rewritten, problems) == (2, True, [])
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

    def meanwhile(*given: Any) -> Any:  # noqa: ANN401
        with file.open("ab") as growing:
            growing.write(b"{}\n")
        return compressed(*given)

    monkeypatch.setattr(raw_files, "compressed", meanwhile)
    known = place.known()
    problems: list[SourceError] = []
    assert list(raw_files.look_through([file], known, problems, rewrite=True)) == []
    assert "changed while it was being rewritten" in str(problems)
    assert file.read_bytes() == line() + b"{}\n"
    assert list(place.raw.iterdir()) == [file]


def test_a_file_beside_a_running_receiver_stays_as_it_is(tmp_path: Path, product: Product) -> None:
    """A delivery that arrives between the last look and the new file would be acknowledged and lost."""
    place = Place(tmp_path, product)
    place.put({"webhooks-2026-07-31-000001.jsonl": line()})
    file = place.raw / "webhooks-2026-07-31-000001.jsonl"
    known = place.known()
    problems: list[SourceError] = []
    with FileLock(place.raw / LOCK):
        assert list(raw_files.look_through([file], known, problems, rewrite=True)) == []
    assert "Stop the receiver" in str(problems)
    assert file.read_bytes() == line()
    [match] = raw_files.look_through([file], known, problems, rewrite=True)
    assert match.is_rewritten


def test_a_raw_file_with_another_name_is_left_alone(tmp_path: Path, product: Product) -> None:
    """Under that it would stay as it was, and nobody would know."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line()})
    (tmp_path / "backup").hardlink_to(place.raw / "a.jsonl")
    known = place.known()
    problems: list[SourceError] = []
    assert list(raw_files.look_through([place.raw / "a.jsonl"], known, problems, rewrite=True)) == []
    assert "hard links" in str(problems)


def test_raw_files_are_found_under_another_name(tmp_path: Path, product: Product) -> None:
    """Logs are rotated. What is gone is named, and so is what was never loaded: nobody said that it is a raw file."""
    place = Place(tmp_path, product)
    others = line(personId="other", participantId="of-other")
    place.put({name: line() + others for name in ("a.jsonl", "b.jsonl", "c.jsonl")})
    (place.raw / "a.jsonl").rename(place.raw / "a.jsonl.1")
    (place.raw / "a.jsonl").write_bytes(others)
    (place.raw / "b.jsonl").rename(tmp_path / "elsewhere")
    (place.raw / "c.jsonl.bak").write_bytes(line())
    (place.raw / "notes.txt").write_bytes(line())
    proof = forget(place.settings)
    assert {match.file: match.is_rewritten for match in proof.raw_files} == {
        str(place.raw / "a.jsonl.1"): True,
        str(place.raw / "c.jsonl"): True,
        str(place.raw / "c.jsonl.bak"): False,
    }
    assert (place.raw / "a.jsonl.1").read_bytes() == (place.raw / "c.jsonl").read_bytes() == others
    assert (place.raw / "c.jsonl.bak").read_bytes() == line()
    assert proof.missing == [str(place.raw / "b.jsonl")]
    assert not proof.is_done


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
    assert people_file.find(file, SOMEONE).rows == int(text != left)
    people_file.remove_rows(file, SOMEONE)
    assert file.read_bytes() == left.encode()
    assert list(tmp_path.iterdir()) == [file]


def test_batches_lose_their_deliveries_and_nothing_else(tmp_path: Path, product: Product) -> None:
    """Also where they are text inside text. Whatever is loaded then is what was there without them."""
    lines_of_person = [line(updatedAt=f"2025-03-0{day}T00:00:00Z")[:-1] for day in range(1, 5)]
    other, mention = (
        line(personId="other", participantId="of-other", **more)[:-1] for more in ({}, {"note": f"as {SOMEONE} said"})
    )

    def text(*events: bytes) -> bytes:
        notices = (json.dumps({"TopicArn": "t", "MessageId": "m", "Message": event.decode()}) for event in events)
        return json.dumps({"Records": [{"messageId": "m", "body": notice} for notice in notices]}).encode()

    event_of_person = b'{"_eventType": "person.changed", "personId": "' + SOMEONE.encode() + b'"}'
    content = [
        b"[" + lines_of_person[0] + b",  " + other + b"]",
        b'{"data": [' + lines_of_person[1] + b"]}",
        other + lines_of_person[2] + event_of_person + other,
        text(lines_of_person[3], other),
        b"[" + mention + b"]",
        other,
    ]
    left = [b"[" + other + b"]", other + other, text(other), b"[" + mention + b"]", other]
    place = Place(tmp_path, product)
    place.put({"a.jsonl": b"\n".join(content) + b"\n"})
    before = place.of(DELIVERED)
    known = place.known()
    assert (known.lines, known.mentions) == (5, 1)
    problems: list[SourceError] = []
    [match] = raw_files.look_through([place.raw / "a.jsonl"], known, problems, rewrite=True)
    assert (match.lines, match.mentions, match.is_left, problems) == (5, 1, True, [])
    assert (place.raw / "a.jsonl").read_bytes() == b"\n".join(left) + b"\n"

    place.forget(SOMEONE)
    place.accounts_for_batches()
    rest = [row for row in before if row[0] == "of-other"]
    assert place.of(DELIVERED) == rest
    assert place.of("select count(*) from raw.deliveries where line is not null") == [(0,)]
    place.load()  # the file has become another one, with the same deliveries in it
    assert place.of(DELIVERED) == rest
    (place.raw / "b.jsonl").write_bytes(b"\n".join(content) + b"\n")
    place.load()
    assert len(place.of(DELIVERED)) == 2 * len(rest)
    assert place.of(
        "select count(*) from raw.forgotten_lines where load_id = (select max(load_id) from raw.loads)"
    ) == [(5,)]
    place.accounts_for_batches()
