"""Is every line accounted for? Each in its place and with its reason, as the oracle reads it."""

from collections.abc import Callable

import pytest
from awkward_lines import AWKWARD, BOM, VALID, around
from hypothesis import assume, given
from hypothesis import strategies as st
from inbox import inbox
from product import Product
from strategies import valid_but

from pipelines.load.sources import MAGIC

PLACES: dict[str, Callable[[bytes], bytes]] = {
    "between others": lambda line: VALID + b"\n" + line + b"\n" + VALID + b"\n",
    "first": lambda line: line + b"\n" + VALID + b"\n",
    "first, after a byte-order mark": lambda line: BOM + line + b"\n",
    "last, without its newline": lambda line: VALID + b"\n" + line,
    "alone, without its newline": lambda line: line,
    "before a carriage return": lambda line: line + b"\r\n" + line + b"\r\n",
    "in an envelope": lambda line: around(line) + b"\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_awkward_lines(product: Product, place: str) -> None:
    """Each is in a file of its own: the first and the last line of a file have rules of their own."""
    files = {f"{number:03}.jsonl": PLACES[place](line) for number, line in enumerate(AWKWARD)}
    with inbox(product) as box:
        box.put(files)
        box.load()
        box.check(files)


MEMBERS = st.tuples(
    st.sampled_from(["_eventType", "participantId", "personId", "studyId", "status", "priorStatus", "updatedAt"]),
    st.sampled_from(
        ['"INVITE_SENT"', '"NEW"', '""', "null", "1", "[]", "{}", "NaN", '"\\u0041"', '"2025-03-03T00:00:00Z"']
    ),
)
OTHER_MEMBERS = st.tuples(
    st.sampled_from(["payload", "svix_id", "x", "stat\\u0075s", ""]),
    st.sampled_from(["null", "{}", '"x"', "[1, {}]", "-Infinity", "1e999", '"\\ud800"', '{"x": 1, "x": 2}']),
)
WHOLE = [
    ("_eventType", '"participant.status_changed"'),
    ("participantId", '"participant-0"'),
    ("personId", '"person-1"'),
    ("studyId", '"study-1"'),
    ("status", '"INVITE_SENT"'),
    ("updatedAt", '"2025-03-03T00:00:00Z"'),
]


@st.composite
def near_misses(draw: st.DrawFn) -> bytes:
    """Draw an object with members missing, repeated, of another type, or not quite JSON."""
    missing = draw(st.sets(st.integers(0, 20)))
    members = [member for place, member in enumerate(WHOLE) if place not in missing]
    members += draw(st.lists(st.one_of(MEMBERS, OTHER_MEMBERS), max_size=3))
    members = draw(st.permutations(members))
    text = ", ".join(f'"{name}": {value}' for name, value in members)
    text = "{" + text + draw(st.sampled_from(["", "", "", ",", " ,\t"])) + "}"
    if draw(st.integers(0, 3)) == 0:
        text = f'{{"payload": {text}{draw(st.sampled_from(["", ", ", ", " + chr(34) + "x" + chr(34) + ": NaN"]))}}}'
    return text.encode()


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Draw a valid line with some of its bytes replaced by others."""
    line = draw(st.sampled_from([VALID, around(VALID), valid_but(priorStatus="INVITE_SENT", x=[1, None])]))
    at = draw(st.integers(0, len(line)))
    put = draw(st.binary(max_size=3) | st.sampled_from([b'"', b",", b"}", b"{}", b"\\", BOM, b"\xff", b"\r"]))
    return line[:at] + put + line[at + draw(st.integers(0, 3)) :]


@given(st.lists(near_misses() | broken(), max_size=25))
def test_any_lines(product: Product, lines: list[bytes]) -> None:
    """What nobody thought of. Hypothesis knows the first bytes of gzip from our code; such a file is no text."""
    files = {"a.jsonl": b"\n".join(lines)}
    assume(not files["a.jsonl"].startswith(tuple(MAGIC)))
    with inbox(product) as box:
        box.put(files)
        box.load()
        box.check(files)


TIMES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["2024-02-", "2023-02-", "0000-12-", "0001-01-", "9999-12-", "2024-13-", "12024-01-"]),
        st.sampled_from(["00", "01", "28", "29", "30", "31", "1"]),
        st.sampled_from(["T", "t", " ", ""]),
        st.sampled_from(["00:00:00", "23:59:59", "24:00:00", "23:60:00", "23:59:60", "12:00"]),
        st.sampled_from(["", ".", ".5", ".999999", ".9999999", ".0000001", ".123456789012"]),
        st.sampled_from(["Z", "z", "", "+00:00", "-00:30", "+23:59", "-23:59", "+24:00", "+01:60", "+0100", " Z"]),
    ),
)


@given(st.lists(TIMES, max_size=30))
def test_any_times(product: Product, times: list[str]) -> None:
    """Times at and just beyond what RFC 3339 allows, to the microsecond."""
    files = {"a.jsonl": b"".join(valid_but(updatedAt=text) + b"\n" for text in times)}
    with inbox(product) as box:
        box.put(files)
        box.load()
        box.check(files)
