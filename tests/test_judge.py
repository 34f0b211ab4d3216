"""Lines are judged as the oracle reads them, and DuckDB takes a line by itself only where the judge says the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from awkward_lines import AWKWARD, BOM, around, with_more
from hypothesis import given
from hypothesis import strategies as st
from oracle.lines import read_lines
from test_load_fuzz import CORPUS, mutated
from test_load_lines import TIMES, broken, near_misses

from pipelines.load import parsing
from pipelines.load.judge import Judgement, is_document, judge
from pipelines.load.lines import SCHEMA
from pipelines.reference import known_shapes
from pipelines.settings import PROJECT
from pipelines.warehouse import connect

CHANGE = {
    "_eventType": "participant.status_changed",
    "participantId": "participant-0",
    "personId": "person-1",
    "studyId": "study-1",
    "status": "INVITE_SENT",
    "priorStatus": "NOT_STARTED",
    "updatedAt": "2025-03-03T00:00:00.000Z",
}
LINES = sorted({line for content in CORPUS.values() for line in content.split(b"\n")} | set(AWKWARD))


class AnyStatus:
    """What contains every status: the judge knows none."""

    def __contains__(self, status: object) -> bool:
        """Whether it is a status."""
        return True


SHAPES = known_shapes()
RALLY, PYTHON = (",", ":"), (", ", ": ")


def canonical(separators: tuple[str, str] = RALLY, /, **fields: object) -> bytes:
    """A line as Rally writes it, or as Python does."""
    return json.dumps(CHANGE | fields, separators=separators, ensure_ascii=False).encode("utf-8", "surrogatepass")


def enveloped(
    payload: bytes,
    received_at: str = "2025-03-03T00:00:01Z",
    svix_id: str = "msg_1",
    separators: tuple[str, str] = RALLY,
) -> bytes:
    """The same in its envelope."""
    comma, colon = separators
    members = (f'"svix_id"{colon}"{svix_id}"', f'"received_at"{colon}"{received_at}"', f'"payload"{colon}')
    return f"{{{comma.join(members)}".encode("utf-8", "surrogatepass") + payload + b"}"


@pytest.fixture(scope="module")
def duckdb_only() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which the judge has no opinion, so that what DuckDB takes by itself can be told."""
    with pytest.MonkeyPatch.context() as patched, connect(Path(":memory:")) as connection:
        patched.setattr(parsing, "judge", lambda *_: [Judgement("rejected", "invalid_json", "undecided")])
        with parsing.judging(connection, ()):
            yield connection


def read_by_duckdb(connection: duckdb.DuckDBPyConnection, lines: list[bytes]) -> dict[bytes, Judgement]:
    """The lines that DuckDB takes by itself, and what it reads in them."""
    columns = [pa.array([1] * len(lines), pa.int32()), pa.array(range(len(lines)), pa.int64())]
    batch = pa.record_batch([*columns, pa.array(lines, pa.large_binary())], schema=SCHEMA)
    parsing.judge_lines(connection, [batch])
    fields = ", ".join(Judgement._fields[:-1])
    found = connection.execute(f"select line_number, {fields} from judged_lines").fetchall()
    read = {lines[number]: Judgement(*values) for number, *values in found}
    return {line: judgement for line, judgement in read.items() if judgement.event_type != "undecided"}


def check_against_oracle(line: bytes) -> None:
    """Hold what the judge says of a line without its newline against the oracle."""
    for text in (line, line + b"\r"):
        expected = read_lines({"a": text + b"\n"}, AnyStatus())
        judged = judge(text + b"\n", SHAPES)
        found = [(one.outcome, one.reason, one.position) for one in judged]
        assert found == [(one.outcome.removesuffix("_event"), one.reason, one.position) for one in expected]
        changes = [
            (
                judgement.participant_id,
                judgement.person_id,
                judgement.study_id,
                judgement.status,
                judgement.prior_status,
                judgement.updated_at,
            )
            for judgement in judged
        ]
        assert changes == [astuple(one.delivery) if one.delivery else (None,) * 6 for one in expected]
        kept = [text + b"\n" if one.text is None else one.text for one in judged if one.reason]
        assert kept == [one.raw if one.position else text + b"\n" for one in expected if one.reason]
    assert is_document(line) == bool(read_lines({"a": line}, AnyStatus()))


@pytest.mark.parametrize(
    "place", ["alone", "after a byte-order mark", "in an envelope", "a member", "a member of an envelope"]
)
def test_awkward_lines(place: str) -> None:
    """Lines at which parsers differ, wherever the awkward part stands."""
    places: dict[str, Callable[[bytes], bytes]] = {
        "alone": lambda line: line,
        "after a byte-order mark": lambda line: BOM + line,
        "in an envelope": around,
        "a member": lambda line: with_more(b', "x": ' + line),
        "a member of an envelope": lambda line: around(with_more(b""), b', "svix_id": ' + line),
    }
    for line in LINES:
        check_against_oracle(places[place](line))


@given(near_misses() | broken() | mutated().map(lambda content: content.replace(b"\n", b" ")))
def test_any_line(line: bytes) -> None:
    """Lines that are nearly right, and lines spliced from awkward ones."""
    check_against_oracle(line)


@pytest.mark.parametrize(
    ("line", "says_more"),
    [
        (canonical(), False),
        (canonical(priorStatus=None), False),
        (canonical(new=1), True),
        (enveloped(canonical()), False),
        (enveloped(canonical(new=1)), True),
        (enveloped(canonical(), received_at="now"), True),
        (around(canonical(), b', "x": 1'), True),
        (canonical(status=""), True),
        (b'{"_eventType": "person.opted_out"}', True),
    ],
)
def test_a_line_that_says_more_than_its_fields_is_known(line: bytes, *, says_more: bool) -> None:
    """It is kept whole, so that nothing of a delivery is lost."""
    assert judge(line)[0].says_more is says_more


def test_the_judge_does_not_depend_on_how_deep_it_is_called() -> None:
    """Python's own parser takes fewer levels the deeper the stack is."""

    def deep(levels: int, line: bytes) -> Judgement:
        return judge(line)[0] if not levels else deep(levels - 1, line)

    most, one_more = (with_more(b', "x": ' + b"[" * levels + b"]" * levels) for levels in (1023, 1024))
    for levels in (0, 700):
        assert deep(levels, most).outcome == "accepted"
        assert deep(levels, one_more).reason == "invalid_json"


SAMPLE = [line for file in sorted((PROJECT / "data" / "sample").glob("*.jsonl")) for line in file.open("rb")]


def test_canonical_lines_are_taken_by_duckdb(duckdb_only: duckdb.DuckDBPyConnection) -> None:
    """If they were not, nothing would be wrong but the speed."""
    lines = [canonical(), canonical(priorStatus=None), canonical(updatedAt="2025-03-03T02:00:00.000+02:00")]
    lines = [line + b"\n" for line in [*lines, *map(enveloped, lines), canonical(personId="\u00e9\U0001f600")]]
    spaced = [canonical(PYTHON), canonical(PYTHON, priorStatus=None)]
    lines += [line + b"\n" for line in (*spaced, *(enveloped(line, separators=PYTHON) for line in spaced))]
    lines += [line[:-1] + b"\r\n" for line in lines]
    assert set(read_by_duckdb(duckdb_only, lines)) == set(lines)
    assert len(read_by_duckdb(duckdb_only, SAMPLE)) > 0.95 * len(set(SAMPLE))


def test_duckdb_takes_no_awkward_line_for_another(duckdb_only: duckdb.DuckDBPyConnection) -> None:
    """Neither those of the corpus nor canonical ones into which awkward pieces are put."""
    pieces = [line for line in LINES if b'"' not in line and len(line) < 100]
    ids = [canonical().replace(b"person-1", piece) for piece in pieces]
    lines = [line + b"\n" for line in [*LINES, *ids, *map(enveloped, ids)]]
    for line, read in read_by_duckdb(duckdb_only, lines).items():
        assert [read] == judge(line, SHAPES)


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=4) | st.sampled_from(
    ["null", ":", ",", "}", '","', "\\u0041"]
)


@st.composite
def nearly_canonical(draw: st.DrawFn) -> bytes:
    """Draw a line in a canonical form, with odd text in it, then put, cut or replace some of its bytes."""
    fields = draw(st.dictionaries(st.sampled_from(sorted(CHANGE)), TEXTS | st.none() | st.integers(), max_size=2))
    separators = draw(st.sampled_from([RALLY, PYTHON]))
    line = canonical(separators, **fields | {"updatedAt": draw(st.just(CHANGE["updatedAt"]) | TIMES)})
    if draw(st.booleans()):
        of_envelope = draw(st.sampled_from([separators, RALLY, PYTHON]))
        line = enveloped(line, draw(st.just("2025-03-03T00:00:01Z") | TIMES), draw(TEXTS), of_envelope)
    line += draw(st.sampled_from([b"\n", b"\n", b"\r\n", b""]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(line)))
        put = draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b'""', b'":"', b"\\", b"\\n", b"{", b"}", b"\x00", b"null"])
        )
        line = line[:at] + put + line[at + draw(st.integers(0, 3)) :]
    return line


@given(st.lists(nearly_canonical(), min_size=1, max_size=20))
def test_duckdb_never_disagrees_with_the_judge(duckdb_only: duckdb.DuckDBPyConnection, lines: list[bytes]) -> None:
    """What it takes by itself says exactly what the judge would say, and nothing else is kept of it."""
    for line, read in read_by_duckdb(duckdb_only, lines).items():
        assert [read] == judge(line, SHAPES)
        assert not read.says_more
