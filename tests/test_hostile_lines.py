"""Lines of a size and depth that break parsers: each is counted, and takes neither memory nor other lines with it."""

import pytest
from awkward_lines import VALID, around, with_more
from inbox import Inbox
from strategies import valid_but

from pipelines.errors import SourceError
from pipelines.load import lines as reading
from pipelines.load.lines import LineReader
from pipelines.load.sources import look_at

LONG = 1 << 20
OTHER = valid_but(participantId="participant-1")
LONG_TEXT = b"y" * (LONG + 1)


def between(line: bytes) -> bytes:
    """The line with valid ones around it."""
    return VALID + b"\n" + line + b"\n" + OTHER + b"\n"


LONG_LINES = {
    "an unknown member": with_more(b', "x": "' + LONG_TEXT + b'"'),
    "an unknown key": with_more(b', "' + LONG_TEXT + b'": 1'),
    "an id": VALID.replace(b"person-1", LONG_TEXT),
    "an id and more": with_more(b', "x": {}').replace(b"person-1", LONG_TEXT),
    "a status": VALID.replace(b"INVITE_SENT", LONG_TEXT),
    "a prior status of another type": with_more(b', "priorStatus": [1], "x": "' + LONG_TEXT + b'"'),
    "a missing id": VALID.replace(b"personId", b"person_id").replace(b"study-1", LONG_TEXT),
    "an id of another type": VALID.replace(b'"person-1"', b'["' + LONG_TEXT + b'"]'),
    "an event": VALID.replace(b"participant.status_changed", LONG_TEXT),
    "an event of another type": VALID.replace(b'"participant.status_changed"', b"9" * LONG),
    "a time": VALID.replace(b"00:00Z", b"00:00." + b"1" * LONG + b"Z"),
    "no time": VALID.replace(b"00:00Z", b"00:00." + b"1" * LONG),
    "numbers": with_more(b', "x": [' + b"1e999," * (LONG // 6) + b"1]"),
    "a trailing comma": with_more(b', "x": [' + b"1," * (LONG // 2) + b"]"),
    "NaN": with_more(b', "x": "' + LONG_TEXT + b'", "y": NaN'),
    "a surrogate": with_more(b', "x": "' + LONG_TEXT + b'\\ud800"'),
    "a repeated key": with_more(b', "x": "' + LONG_TEXT + b'", "status": "OPTED_OUT"'),
    "no UTF-8": with_more(b', "x": "' + LONG_TEXT + b'\xff"'),
    "no JSON": LONG_TEXT,
    "no object": b'["' + LONG_TEXT + b'"]',
    "white space": b" " * (LONG + 1),
    "an envelope": around(VALID, b', "svix_id": "' + LONG_TEXT + b'"'),
    "an envelope of more": around(VALID, b', "x": "' + LONG_TEXT + b'"'),
    "an envelope of nothing": around(b"null", b', "x": "' + LONG_TEXT + b'"'),
    "half a line": with_more(b', "x": "' + LONG_TEXT)[:-1],
}


def test_long_lines(box: Inbox) -> None:
    """They are read another way than short ones, which must come to the same."""
    files = {f"{name}.jsonl": between(line) for name, line in LONG_LINES.items()}
    files |= {f"{name}, the last.jsonl": line for name, line in LONG_LINES.items() if name in {"an id", "half a line"}}
    box.put(files)
    box.load()
    box.check(files)


def test_a_line_too_long_for_any_memory(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without newlines is refused before it fills the memory; the line is named, other files load."""
    monkeypatch.setattr(reading, "LONGEST", 3 << 20)
    box.put({"a.jsonl": between(b"x" * (4 << 20)), "b.jsonl": VALID + b"\n"})
    with pytest.raises(SourceError, match="line 2 has more than 3 MiB"):
        list(LineReader(look_at(box.folder / "a.jsonl"), 1).batches())
    with pytest.raises(AssertionError):
        box.load()
    box.check({"b.jsonl": VALID + b"\n"})


@pytest.mark.slow(reason="lines of megabytes; 500 levels are among awkward_lines.py, 1,024 in test_judge.py")
@pytest.mark.parametrize("deep", [b"[" * 10**6 + b"]" * 10**6, b'{"a":' * 10**6 + b"1" + b"}" * 10**6, b"[" * 10**6])
def test_a_million_deep(box: Inbox, deep: bytes) -> None:
    """No parser may take the process down with it."""
    lines = [deep, with_more(b', "x": ' + deep), around(VALID, b', "x": ' + deep), VALID.replace(b'"person-1"', deep)]
    files = {"a.jsonl": b"\n".join([VALID, *lines, OTHER, b""])}
    box.put(files)
    box.load()
    box.check(files)


@pytest.mark.slow(reason="lines of 64 MiB")
def test_lines_of_64_mib(box: Inbox) -> None:
    """A valid one, a broken one and one of numbers, with no more memory than DuckDB has by default."""
    box.connection.execute("set memory_limit = '3GB'")
    size = 64 << 20
    lines = [
        with_more(b', "x": "' + b"y" * size + b'"'),
        b"x" * size,
        with_more(b', "x": [' + b"1," * (size // 2) + b"1]"),
    ]
    files = {"a.jsonl": b"\n".join([VALID, *lines, OTHER, b""])}
    box.put(files)
    box.load()
    box.check(files)
