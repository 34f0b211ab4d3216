"""A public conformance suite for JSON parsers, file by file, where there is one: what is JSON is taken, nothing else.

The suite is no part of this repository. STUDYFLOW_JSON_SUITE names a folder of such files, called y_… (JSON),
n_… (not JSON) and i_… (either), as JSONTestSuite's test_parsing has them.
"""

import os
from pathlib import Path

import pytest
from awkward_lines import around, with_more
from inbox import Inbox

SUITE = os.environ.get("STUDYFLOW_JSON_SUITE", "")

pytestmark = pytest.mark.skipif(not SUITE, reason="STUDYFLOW_JSON_SUITE names no folder with a JSON test suite")


def suite() -> dict[str, bytes]:
    """Every file by its name."""
    return {path.stem: path.read_bytes() for path in sorted(Path(SUITE).glob("*.json"))}


def one_line(content: bytes) -> bytes:
    """The document in one line, as far as its newlines are white space."""
    return content.replace(b"\n", b" ")


def test_each_file_as_it_is(box: Inbox) -> None:
    """One file, of one line or several, as a stranger would put it into the folder."""
    files = {f"{name}.jsonl": content for name, content in suite().items()}
    box.put(files)
    box.load()
    box.check(files)


@pytest.mark.parametrize("place", ["line", "last line", "member", "member of an envelope", "payload"])
def test_each_file_as_a_line(box: Inbox, place: str) -> None:
    """What the suite calls JSON is, and what it calls none is not, wherever it stands."""
    lines = {name: one_line(content) for name, content in suite().items()}
    match place:
        case "member":
            lines = {name: with_more(b', "x": ' + line) for name, line in lines.items()}
        case "member of an envelope":
            lines = {name: around(with_more(b""), b', "x": ' + line) for name, line in lines.items()}
        case "payload":
            lines = {name: around(line) for name, line in lines.items()}
    ending = b"" if place == "last line" else b"\n"
    files = {f"{name}.jsonl": line + ending for name, line in lines.items()}
    box.put(files)
    box.load()
    box.check(files)
    taken = {
        Path(name).stem
        for (name,) in box.connection.execute(
            "select source_file from audit.load_files where lines > blank and rejected = 0"
        ).fetchall()
    }
    is_json = {name for name in lines if name.startswith("y_")}
    is_none = {name for name in lines if name.startswith("n_") and "newline" not in name}
    if place == "member":
        assert is_json <= taken
    assert is_none & taken == set()
