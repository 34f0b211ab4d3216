"""Webhooks in other shapes than one a line: whatever is around them, they are judged, counted and kept as if they stood alone.

The files in fixtures/shapes have the form that these pages describe; fixtures/shapes.jsonl has the same webhooks one a line.

- Svix, polling endpoints: https://docs.svix.com/advanced-endpoints/polling-endpoints (PollingEndpointMessageOut of its API)
- Svix, object storage, jsonl and json: https://docs.svix.com/advanced-endpoints/object-storage
- CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
- Kafka Connect, JsonConverter with schemas.enable: https://docs.confluent.io/platform/current/connect/concepts.html
- Kafka Connect, records with keys: https://github.com/aiven-open/s3-connector-for-apache-kafka
- Amazon SQS: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and the ReceiveMessage API
- Amazon SNS: https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
- Amazon EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
- Amazon Data Firehose: https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
"""

import base64
import json
import pickle
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from awkward_lines import AWKWARD
from hypothesis import assume, given
from hypothesis import strategies as st
from inbox import A, B, C, D, Inbox
from strategies import valid_but
from test_judge import check_against_oracle

from pipelines.errors import StudyflowError
from pipelines.forget.line_edits import element_of, remove_deliveries
from pipelines.load.judge import Judgement, judge, judged_parts
from pipelines.load.shapes import DEPTH, Shape, sort_shapes
from pipelines.reference import known_shapes
from pipelines.settings import PROJECT, REFERENCE
from pipelines.summary import summarise

FIXTURES = PROJECT / "tests" / "fixtures"
SHAPES = known_shapes()
WEBHOOK: dict[str, Any] = json.loads(valid_but())
WHEN = datetime(2026, 7, 1, 10, 0, 1, 649_000, tzinfo=UTC)

DELIVERED = """
select participant_id, person_id, study_id, status, prior_status, updated_at, line
from raw.deliveries where reason is null order by all
"""
SHAPE_ROWS = "select shape, position, svix_id, received_at from raw.deliveries order by participant_id"


def test_every_shape_gives_the_changes_of_plain_lines(box: Inbox) -> None:
    """All files at once. Each says what it was recognised as, and most say ids and times of arrival."""
    files = {path.name: path.read_bytes() for path in (FIXTURES / "shapes").iterdir()}
    box.put(files)
    box.load()
    box.check(files)
    found = box.connection.execute(DELIVERED).fetchall()
    summary = summarise(box.connection, Path("w.duckdb"))
    assert {one["shape"] for one in summary.shapes} >= {shape for (shape,) in named_in_files(box)} - {None}
    assert {"shape": "data/svix_message", "files": 1, "lines": 2, "deliveries": 3} in summary.shapes
    accounting = summary.accounting
    assert (accounting["lines"], accounting["blank"], accounting["batch_lines"], accounting["batch_deliveries"]) == (
        *(29, 1, 13),
        25,
    )
    how = box.connection.execute(SHAPE_ROWS).fetchall()
    assert sum(svix_id is not None for _, _, svix_id, _ in how) == 23
    assert sum(received_at is not None for *_, received_at in how) == 21
    assert {shape.name for shape in SHAPES} <= {name for shape, *_ in how for name in shape.split("/")}

    for path in box.folder.iterdir():
        path.unlink()
    for table in ("files", "deliveries", "loads"):
        box.connection.execute(f"delete from raw.{table}")
    plain = {"plain.jsonl": (FIXTURES / "shapes.jsonl").read_bytes()}
    box.put(plain)
    box.load()
    box.check(plain)
    assert box.connection.execute(DELIVERED).fetchall() == found


def named_in_files(box: Inbox) -> list[tuple[str | None]]:
    """The shapes in audit.load_files."""
    return box.connection.execute("select distinct unnest(string_split(shapes, ', ')) from audit.load_files").fetchall()


def test_batches_that_grow_break_off_come_again_and_are_cut_otherwise(box: Inbox) -> None:
    """A line that is taken back takes all its deliveries; each delivery counts as often as it was ever there at once."""
    box.put({"a": A[:-1] + B[:-1]})  # Firehose ends without a newline
    box.load()
    box.check({"a": A[:-1] + B[:-1]})
    for files in (
        {"a": A[:-1] + B[:-1] + C[:-1]},  # the same line has grown
        {"a": b"[" + A[:-1] + b"," + B[:-1] + b"]\n" + C},  # rewritten in other batches
        {"a": b"[" + A[:-1] + b"," + B[:-1] + b',{"x": 1}]\n[]\n' + C},
    ):
        box.put(files)
        box.load()
        box.check(files)
    box.folder.joinpath("a").unlink()
    box.put({"b.jsonl": b'{"data": [' + B[:-1] + b"," + B[:-1] + b"]}\n" + D})
    box.load()
    box.build()
    assert box.delivered() == {A: 1, B: 2, C: 1, D: 1}
    assert box.connection.execute("select lines, blank_lines from raw.files order by file_id").fetchall()[-2:] == [
        (2, 0),
        (2, 0),
    ]


def test_a_row_that_is_added_takes_in_what_was_rejected(box: Inbox) -> None:
    """As a status does that is added. Everything else stays as it was."""
    wrapped = json.dumps({"message": {"data": base64.b64encode(A[:-1]).decode(), "messageId": "1"}}).encode()
    lines = [wrapped, b"no JSON", b'{"message": 1}', b'{"message": {"data": "?", "messageId": "2"}}', B[:-1]]
    box.put({"a.jsonl": b"\n".join(lines) + b"\n"})
    box.load()
    before = reasons(box)
    assert before == [
        (1, 0, "missing_field", 1),
        (2, 0, "invalid_json", 1),
        *[(n, 0, "missing_field", 1) for n in (3, 4)],
    ]
    pubsub = Shape("pubsub", (("message", "messageId"),), (), ("message", "data"), is_base64=True)
    with patch("pipelines.load.loader.known_shapes", lambda: sort_shapes([*SHAPES, pubsub])):
        box.load()
        assert reasons(box) == [before[1], before[2], (4, 0, "invalid_json", 2)]
        box.build()
        assert box.delivered() == {A: 1, B: 1, C: 0, D: 0}
        assert box.totals()["lines"] == 5
        box.load()
        assert box.connection.execute("select max(load_id) from raw.loads").fetchall() == [(2,)]


def reasons(box: Inbox) -> list[tuple[Any, ...]]:
    """Of rejected deliveries: where they are, why, and by which load."""
    query = "select line_number, position, reason, load_id from raw.deliveries where reason is not null order by all"
    return box.connection.execute(query).fetchall()


Wrap = Callable[[list[Any]], list[Any]]


def each(around: Callable[[Any], Any]) -> Wrap:
    """An envelope around each of the documents."""
    return lambda documents: [around(document) for document in documents]


WRAPS: dict[str, Wrap] = {
    "array": lambda documents: [documents],
    "svix": lambda documents: [{"data": [{"eventType": "x", "id": "m", "payload": one} for one in documents]}],
    "events": lambda documents: [{"events": documents}],
    "envelope": each(lambda one: {"svix_id": "m", "received_at": "2026-07-01T10:00:01.649Z", "payload": one}),
    "text": each(lambda one: {"payload": json.dumps(one)}),
    "cloudevent": each(lambda one: {"specversion": "1.0", "type": "t", "source": "s", "id": "m", "data": one}),
    "binary": each(
        lambda one: {"specversion": "1.0", "type": "t", "source": "s", "data_base64": encoded(json.dumps(one))}
    ),
    "kafka": each(lambda one: {"schema": {"type": "struct"}, "payload": one}),
    "record": each(lambda one: {"key": None, "value": one, "timestamp": 1782900001649}),
    "sqs": lambda documents: [
        {
            "Records": [
                {"messageId": "m", "body": json.dumps(one), "attributes": {"SentTimestamp": "1782900001649"}}
                for one in documents
            ]
        }
    ],
    "messages": lambda documents: [{"Messages": [{"MessageId": "m", "Body": json.dumps(one)} for one in documents]}],
    "sns": each(lambda one: {"TopicArn": "t", "MessageId": "m", "Message": json.dumps(one), "Timestamp": "never"}),
    "eventbridge": each(lambda one: {"detail-type": "d", "source": "s", "id": "m", "detail": one}),
}


def encoded(text: str) -> str:
    """The text in base64."""
    return base64.b64encode(text.encode()).decode()


def said(judgements: Sequence[Judgement]) -> list[tuple[Any, ...]]:
    """What judgements say of webhooks, whatever is around them."""
    return [(one.outcome, one.reason, one.event_type, *one[5:11]) for one in judgements]


EVENTS = st.sampled_from(
    [
        WEBHOOK,
        WEBHOOK | {"priorStatus": "INVITE_SENT", "new": [1.5, {"x": None}]},
        WEBHOOK | {"data": [1], "events": [{}], "payload": {}, "value": 2, "Records": []},
        {**WEBHOOK, "personId": ""},
        {**WEBHOOK, "updatedAt": "yesterday"},
        {"_eventType": "person.opted_out", "email": "a@example.org", "optedOut": True},
    ]
)


@given(st.lists(EVENTS, min_size=1, max_size=4), st.lists(st.sampled_from(sorted(WRAPS)), max_size=3))
def test_a_webhook_in_any_shapes_is_what_it_is_alone(events: list[dict[str, Any]], names: list[str]) -> None:
    """Nested ones, too. What they say beyond their columns is kept, byte for byte."""
    documents: list[Any] = list(events)
    for name in names:
        documents = WRAPS[name](documents)
    lines = [json.dumps(document, separators=(", ", ":")).encode() for document in documents]
    judged = [one for line in lines for one in judge(line, SHAPES)]
    assert said(judged) == said([one for event in events for one in judge(json.dumps(event).encode())])
    for event, one in zip(events, judged, strict=True):
        if one.says_more and one.outcome != "rejected" and one.text is not None:
            assert json.loads(one.text) == event
    for line in [*lines, b"".join(lines)]:
        check_against_oracle(line)
    if "array" in names or "svix" in names:
        assert all(one.position for one in judged)


@pytest.mark.parametrize("around", sorted(WRAPS))
def test_awkward_payloads_in_a_shape(around: str) -> None:
    """Lines at which parsers differ, as they are in a batch, and as a text."""
    [line] = [json.dumps(one).encode() for one in WRAPS[around]([{"HERE": 1}])]
    for awkward in AWKWARD[::3]:
        check_against_oracle(line.replace(b'{"HERE": 1}', awkward))
        check_against_oracle(b"[" + awkward + b", " + line + b"]")
        check_against_oracle(awkward + line + awkward)


def test_ids_and_times_are_those_of_the_innermost_envelope_that_has_them() -> None:
    sns = {"TopicArn": "t", "MessageId": "of sns", "Message": json.dumps(WEBHOOK)}
    record = {"messageId": "of sqs", "body": json.dumps(sns), "attributes": {"SentTimestamp": "1782900001649"}}
    other = record | {"body": json.dumps(WEBHOOK), "attributes": {"SentTimestamp": 1782900001.649}}
    judged = judge(json.dumps({"Records": [record, other]}).encode(), SHAPES)
    assert [(one.svix_id, one.received_at, one.shape) for one in judged] == [
        ("of sns", WHEN, "records/sqs_record/sns"),
        ("of sqs", WHEN, "records/sqs_record"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"svix_id": "m", "payload": "no JSON"}', [("rejected", "invalid_json", 0)]),
        (b'{"svix_id": "m", "payload": "42"}', [("rejected", "not_an_object", 0)]),
        (b'{"data": [{"eventType": "x", "payload": "{"}]}', [("rejected", "invalid_json", 1)]),
        (b'{"specversion": "1", "type": "t", "source": "s", "data_base64": "?"}', [("rejected", "invalid_json", 0)]),
        (b'{"data": [1, 2]}', [("rejected", "missing_field", 0)]),
        (b'{"data": {"x": 1}}', [("rejected", "missing_field", 0)]),
        (b'["a", "b"]', [("rejected", "not_an_object", 0)]),
        (b'{"data": []}', [("blank", None, 0)]),
        (b"[]", [("blank", None, 0)]),
        (b'{"payload": []}', [("rejected", "not_an_object", 0)]),
        (valid_but() + b' {"torn": ', [("rejected", "invalid_json", 0)]),
        (valid_but() + b", " + valid_but(), [("rejected", "invalid_json", 0)]),
        (valid_but() + b' {"x": NaN}', [("accepted", None, 1), ("rejected", "invalid_json", 2)]),
        (b'{"x": "\xff"}' + valid_but(), [("rejected", "invalid_json", 1), ("accepted", None, 2)]),
        (valid_but(data=[{}], payload={}, events=[{}]), [("accepted", None, 0)]),
        (b"[" * 900 + b"]" * 900, [("rejected", "not_an_object", 0)]),
        (b"[" * 5_000 + b"{}" + b"]" * 5_000, [("rejected", "invalid_json", 0)]),
        (b"{}" * 3 + b"[" * 100_000, [("rejected", "invalid_json", 0)]),
        (b'"' * 100_001, [("rejected", "invalid_json", 0)]),
    ],
)
def test_what_is_no_batch_stays_what_it_was(line: bytes, expected: list[tuple[Any, ...]]) -> None:
    """And of a batch, what is wrong is rejected by itself."""
    assert [(one.outcome, one.reason, one.position) for one in judge(line, SHAPES)] == expected
    check_against_oracle(line)


def test_shapes_that_were_sent_to_another_process_are_the_same() -> None:
    """As tasks of Spark get them."""
    sent = pickle.loads(pickle.dumps(SHAPES))  # noqa: S301 - our own
    for line in (WRAPS[name]([WEBHOOK]) for name in sorted(WRAPS)):
        assert judge(json.dumps(line).encode(), sent) == judge(json.dumps(line).encode(), SHAPES)
        assert judge(json.dumps(line[0]).encode(), sent) == judge(json.dumps(line[0]).encode(), SHAPES)


def test_envelopes_inside_each_other_end_somewhere() -> None:
    """Each layer of text doubles its backslashes; what is deeper than any system nests them is no webhook."""
    document: Any = WEBHOOK
    for layers in range(DEPTH + 2):
        expected = "accepted" if layers <= DEPTH else "rejected"
        assert judge(json.dumps(document).encode(), SHAPES)[0].outcome == expected, layers
        document = {"payload": document}


def test_rejected_deliveries_of_a_batch_do_not_repeat_it() -> None:
    """Each is kept by itself: a batch of batches must not be kept as often as it has deliveries."""
    line = json.dumps([{"data": [{"x": number} for number in range(2_000)]}]).encode()
    assert sum(len(one.text or b"") for one in judge(line, SHAPES)) < len(line)


def test_many_deliveries_on_a_line_and_many_lines(box: Inbox) -> None:
    """They are put aside in parts of some size, and nothing is left behind of the last one."""
    many = [valid_but(participantId=f"p{number}") for number in range(3_000)]
    files = {"a.jsonl": b"".join(many) + b"\n" + A, "b.jsonl": b"".join(b"[" + one + b"]\n" for one in many) + B}
    box.put(files)
    with patch("pipelines.load.parsing.BYTES_AT_ONCE", 1_000):
        box.load()
    box.build()
    assert box.totals() == {
        "lines": 3_003,
        "blank": 0,
        "accepted": 6_002,
        "other_events": 0,
        "rejected": 0,
        "batch_lines": 3_001,
        "batch_deliveries": 6_000,
        "distinct_changes": 3_002,
        "repeated_deliveries": 3_000,
    }


@given(
    st.lists(st.booleans(), min_size=1, max_size=5), st.lists(st.sampled_from(sorted(WRAPS)), min_size=1, max_size=3)
)
def test_cutting_someone_out_leaves_the_others(theirs: list[bool], names: list[str]) -> None:
    """As they were, whatever is around them; nothing is left where everyone goes."""
    documents: list[Any] = [WEBHOOK | {"participantId": f"{is_theirs}-{n}"} for n, is_theirs in enumerate(theirs)]
    for name in names:
        documents = WRAPS[name](documents)
    line = b" ".join(json.dumps(document).encode() for document in documents) + b"\n"
    before = list(judged_parts(line, SHAPES))
    assume(before[0][1].position)
    batch = before
    places = [element_of(part.place) for part, found in batch if str(found.participant_id).startswith("True")]
    left = remove_deliveries(line, places)
    rest = [replace_position(found) for _, found in batch if not str(found.participant_id).startswith("True")]
    assert [replace_position(one) for one in (judge(left, SHAPES) if left else [])] == rest


def replace_position(judgement: Judgement) -> Judgement:
    """Without where in the batch it was, and how a batch that has become one delivery looks."""
    return judgement._replace(position=0, shape=None, text=None)


ROW = "mine,,,body,,,,\n"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a b,,,body,,,,\n", "has shape 'a b'"),
        ("mine,,,,,,,\n", "has no deliveries and no payload"),
        ("mine,,list,,true,,,\n", "has is_base64, but no payload"),
        ("mine,,list,,,id,,\n", "has delivery_id, but no payload"),
        ("mine,a..b,,body,,,,\n", "has members 'a..b'"),
        ("mine,,,body,maybe,,,\n", "has is_base64 'maybe'"),
        (ROW + "other,body,,body,,,,\n", "needs the same members as line"),
        ("svix_message,,,body,,,,\n", "again"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(tmp_path: Path, row: str, problem: str) -> None:
    """Before anything is loaded, by file and line."""
    table = tmp_path / "delivery_shapes.csv"
    table.write_text((REFERENCE / "delivery_shapes.csv").read_text() + row)
    with pytest.raises(StudyflowError, match=rf"delivery_shapes.csv, line 1[67]: .*{problem}"):
        known_shapes(tmp_path)


def test_a_team_s_own_row(tmp_path: Path) -> None:
    """The example of docs/receiving.md."""
    table = tmp_path / "delivery_shapes.csv"
    table.write_text(
        (REFERENCE / "delivery_shapes.csv").read_text()
        + 'pubsub,,,message.data,true,message.messageId,message.publishTime,"stated: Google Pub/Sub, a message that it pushes"\n'
    )
    line = {
        "message": {"data": encoded(json.dumps(WEBHOOK)), "messageId": "7", "publishTime": "2026-07-01T10:00:01.649Z"}
    }
    [found] = judge(json.dumps(line).encode(), known_shapes(tmp_path))
    assert (found.outcome, found.svix_id, found.received_at, found.shape) == ("accepted", "7", WHEN, "pubsub")
