"""The receiver as Rally and everybody else on the network meet it: what is signed is kept, nothing else is."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from receiving import (
    AS_ANYBODY,
    BODY,
    OLD_SECRET,
    PATH,
    SECRET,
    WRONG_SECRET,
    RunningReceiver,
    files_in,
    receiver,
    signed,
)

from pipelines.errors import StudyflowError
from pipelines.load.judge import judge
from pipelines.receive.server import listening

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningReceiver]:
    """One receiver for all tests that leave it as it was."""
    with receiver(tmp_path_factory.mktemp("webhooks")) as started:
        yield started


def test_a_delivery_is_in_a_file_once_it_is_acknowledged(running: RunningReceiver) -> None:
    before = datetime.now(UTC)
    assert running.deliver(svix_id="msg_first") == 204
    line = running.lines()[-1]
    received_at = judge(line)[0].received_at
    assert received_at
    assert before <= received_at <= datetime.now(UTC)
    moment = received_at.isoformat().replace("+00:00", "Z").encode()
    assert line == b'{"svix_id":"msg_first","received_at":"%s","payload":%s}\n' % (moment, BODY)
    assert [file.stat().st_mode & 0o007 for file in files_in(running.folder)] == [0], "webhooks name people"


def test_any_of_several_secrets_may_have_signed(running: RunningReceiver) -> None:
    """While a secret is rotated, Svix signs with both, and deliveries that were signed before it are retried."""
    assert [running.deliver(secret=one) for one in (SECRET, OLD_SECRET)] == [204, 204]
    both, old = signed(BODY), signed(BODY, secret=OLD_SECRET)
    both["svix-signature"] = f"v1a,xyz {old['svix-signature']} {both['svix-signature']}"
    assert running.send(BODY, both)[0] == 204


def test_the_headers_of_standard_webhooks_do_as_well(running: RunningReceiver) -> None:
    assert running.deliver(prefix="webhook") == 204


def test_repeats_are_kept(running: RunningReceiver) -> None:
    """The pipeline counts each change once. A receiver that left one out would have to trust its memory of what it kept."""
    before = len(running.lines())
    assert [running.deliver(svix_id="msg_again") for _ in range(3)] == [204] * 3
    assert len(running.lines()) == before + 3


def altered(**headers: str | None) -> dict[str, str]:
    """Right headers but for these; None: without it."""
    return {
        name: value
        for name, value in (signed(BODY) | {name.replace("_", "-"): value for name, value in headers.items()}).items()
        if value is not None
    }


NOW = datetime.now(UTC)
REFUSED = {
    "no headers": {},
    "no id": altered(svix_id=None),
    "no time": altered(svix_timestamp=None),
    "no signature": altered(svix_signature=None),
    "another id": altered(svix_id="msg_2"),
    "another time": altered(svix_timestamp=str(int(NOW.timestamp()) + 1)),
    "another body": signed(BODY + b" "),
    "another secret": signed(BODY, secret=WRONG_SECRET),
    "time is no number": altered(svix_timestamp="yesterday"),
    "time is not finite": altered(svix_timestamp="nan"),
    "time is endless": altered(svix_timestamp="inf"),
    "time is too large": altered(svix_timestamp="9" * 400),
    "signature without a version": altered(svix_signature="abc"),
    "signature of a version only": altered(svix_signature="v1"),
    "signature with a comma too many": altered(svix_signature="v1,a,b"),
    "signature is no base64": altered(svix_signature="v1,a"),
    "signature is not ASCII": altered(svix_signature="v1,\xe9\xff"),
    "signature of another version": altered(svix_signature=signed(BODY)["svix-signature"].replace("v1", "v2")),
    "two prefixes": {**altered(svix_id=None), "webhook-id": "msg_1"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_with_a_signature_is_one_answer_and_nothing_is_kept(
    running: RunningReceiver, headers: dict[str, str]
) -> None:
    before = running.lines()
    assert running.send(BODY, headers) == (401, b"")
    assert running.lines() == before


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_off_by_ten_minutes_is_refused(running: RunningReceiver, minutes: int) -> None:
    before = running.lines()
    headers = signed(BODY, moment=datetime.now(UTC) + timedelta(minutes=minutes))
    assert running.send(BODY, headers) == (401, b"")
    assert running.lines() == before


def test_a_body_that_is_no_text_is_not_signed(running: RunningReceiver) -> None:
    assert running.send(b"\xff\xfe", signed(b"")) == (401, b"")


BODIES = {
    "empty": b"",
    "no JSON": b"not JSON",
    "no object": b"[1, 2]",
    "another event": b'{"_eventType":"person.opted_out","email":"a@example.com"}',
    "many lines": b'{\r\n  "_eventType": "x"\n}\n',
    "what would break out of the envelope": b'1},"payload":{"a":2',
    "quotes and control characters": b'"\x01 \x7f {}',
    "a byte-order mark": b'\xef\xbb\xbf{"_eventType":"x"}',
    "letters": '{"_eventType":"é\u2028\U0001f600"}'.encode(),
    "a large number": b'{"_eventType":"x","n":1e999}',
    "equal members": b'{"a":1,"a":2}',
    "white space": b" \n ",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_whatever_is_signed_is_kept_as_a_line_of_its_own(running: RunningReceiver, body: bytes) -> None:
    before = running.lines()
    assert running.deliver(body, "msg_odd") == 204
    [line] = running.lines()[len(before) :]
    kept = json.loads(line)
    assert list(kept) == ["svix_id", "received_at", "payload"]
    assert judge(line)[0].svix_id == "msg_odd"
    try:
        expected = json.loads(body)
    except ValueError:
        expected = body.decode()
    assert kept["payload"] == expected


def test_odd_ids_stay_what_they_are(running: RunningReceiver) -> None:
    odd = 'msg"\\{}'
    assert running.deliver(svix_id=odd) == 204
    assert judge(running.lines()[-1])[0].svix_id == odd


def test_a_body_may_have_a_megabyte_and_not_more(running: RunningReceiver) -> None:
    largest = b" " * MEGABYTE
    assert running.deliver(largest) == 204
    before = running.lines()
    assert running.send(largest + b" ", signed(largest + b" "))[0] == 413
    assert running.deliver(b" " * (10 * MEGABYTE)) == 413, "the sender reads the answer, rather than a reset connection"
    chunks = (b" " * 65_536 for _ in range(40))
    assert running.send(chunks, signed(BODY))[0] == 413, "nobody said how long it would be"
    assert running.lines() == before


REQUEST = b"POST %s HTTP/1.1\r\nhost: x\r\n" % PATH.encode()
SMUGGLED = b"POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx"
SMUGGLING = {
    "length and chunks": REQUEST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": REQUEST + b"transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": REQUEST + b"content-length: 0\r\ncontent-length: 80\r\n\r\n" + SMUGGLED,
    "a list of lengths": REQUEST + b"content-length: 0, 80\r\n\r\n" + SMUGGLED,
    "a length that is no number": REQUEST + b"content-length: +1\r\n\r\n" + SMUGGLED,
    "an unknown encoding": REQUEST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk of no length": REQUEST + b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n" + SMUGGLED,
    "space before a colon": REQUEST + b"content-length : 0\r\n\r\n" + SMUGGLED,
    "headers without an end": REQUEST + b"x: " + b"y" * 500_000,
    "a header in two lines": REQUEST
    + b"transfer-encoding:\r\n chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
}


@pytest.mark.parametrize("request_bytes", SMUGGLING.values(), ids=SMUGGLING)
def test_a_request_that_could_be_read_in_two_ways_is_not_read_on(
    running: RunningReceiver, request_bytes: bytes
) -> None:
    """A proxy before us may have read it in the other way: what follows would be the request of somebody else."""
    answers = running.raw(request_bytes)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert b" 400 " in answers.splitlines()[0]


def test_nothing_is_answered_with_a_redirect(running: RunningReceiver) -> None:
    """Svix counts it as a failure and does not follow it."""
    requests = [
        ("POST", "/"),
        ("POST", f"{PATH}/"),
        ("POST", f"/{PATH}"),
        ("GET", PATH),
        ("PUT", PATH),
        ("POST", "/health"),
    ]
    assert [running.send(BODY, signed(BODY), *one)[0] for one in requests] == [404, 404, 404, 405, 405, 405]


def test_idle_connections_are_in_nobodys_way(running: RunningReceiver) -> None:
    with ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
        assert running.deliver() == 204


def test_a_monitor_sees_what_there_is(running: RunningReceiver) -> None:
    running.deliver()
    status, said = running.get_json("/ready")
    assert (status, said["ready"], said["problem"]) == (200, True, None)
    assert said["lines_today"] == len(running.lines()), "unless it is midnight"
    assert 0 <= said["seconds_since_last_delivery"] < 60
    assert 0 <= said["clock_skew_seconds"] < 60
    assert said["free_bytes"] > 0
    _, metrics = running.send(b"", method="GET", path="/metrics")
    values = dict(line.rsplit(" ", 1) for line in metrics.decode().splitlines() if not line.startswith("#"))
    size = sum(file.stat().st_size for file in files_in(running.folder))
    assert float(values["studyflow_receive_stored_bytes_total"]) == size
    assert float(values["studyflow_receive_lines_today"]) == len(running.lines())
    assert float(values['studyflow_receive_answers_total{status="204"}']) == len(running.lines())
    assert time.time() - float(values["studyflow_receive_last_delivery_timestamp_seconds"]) < 60


def test_files_are_whole_lines_and_a_log_names_nobody(tmp_path: Path) -> None:
    """Also how it stops: what has begun is finished, nothing new is taken, the exit code is 0."""
    with receiver(tmp_path) as one:
        assert one.deliver() == 204
        assert one.send(BODY)[0] == 401
        begun = socket.create_connection(("127.0.0.1", one.port), timeout=30)
        headers = "".join(f"{name}: {value}\r\n" for name, value in signed(BODY, "msg_begun").items())
        begun.sendall(REQUEST + f"{headers}content-length: {len(BODY)}\r\nexpect: 100-continue\r\n\r\n".encode())
        assert begun.recv(1000).startswith(b"HTTP/1.1 100 "), "the receiver waits for the body"
        one.process.terminate()
        with suppress(OSError):  # refused, or reset if it was about to be accepted
            while True:
                socket.create_connection(("127.0.0.1", one.port)).close()
        begun.sendall(BODY)
        assert begun.recv(1000).startswith(b"HTTP/1.1 204 ")
        begun.close()
        assert one.ended() == 0
    assert [event["event"] for event in one.log] == ["receiver started", "deliveries", "receiver stopped"]
    assert (one.log[0]["secrets"], one.log[1]["kept"], one.log[1]["refused_headers"]) == (2, 2, 1)
    said = json.dumps(one.log)
    assert not [word for word in ("whsec", "msg_", "INVITE_SENT", "v1,") if word in said]
    assert [judge(line)[0].svix_id for line in one.lines()] == ["msg_1", "msg_begun"]


def test_a_restart_leaves_an_unfinished_line_and_begins_a_file(tmp_path: Path) -> None:
    """A line that a crash broke off was never acknowledged. Had the next one been appended to it, both would be lost."""
    today = datetime.now(UTC).date()
    torn = tmp_path / f"webhooks-{today}-000007.jsonl"
    torn.write_bytes(b'{"svix_id":"msg_0","received_at":"2026-07-01T10:00:00Z","payload":{}}\n{"svix_id":"msg_torn"')
    (tmp_path / f"webhooks-{today}-000008.jsonl.gz").write_bytes(b"")
    with receiver(tmp_path) as one:
        assert one.get_json("/health")[1]["last_delivery"] == "2026-07-01T10:00:00Z"
        assert one.get_json("/health")[1]["lines_today"] == 1
        assert one.deliver() == 204
    assert [file.name for file in files_in(tmp_path)] == [torn.name, f"webhooks-{today}-000009.jsonl"]
    assert judge(files_in(tmp_path)[-1].read_bytes())[0].svix_id == "msg_1"


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
"""


def test_a_disk_that_is_full_is_asked_again_later(tmp_path: Path) -> None:
    """Files may grow to four kilobytes here, which a write meets as it meets the end of a disk: in the middle."""
    long = b'"%s"' % (b"x" * 5000)
    with receiver(tmp_path, patch=LIMITED) as one:
        answers = [one.deliver(long, "msg_long"), one.deliver(svix_id="msg_small")]
        assert answers == [503, 204], "what fits is kept again at once"
        assert one.deliver(long, "msg_long") == 503
        _, said = one.get_json("/health")
        assert (said["ready"], said["problem"]) == (False, os.strerror(27))
        assert one.get_json("/ready")[0] == 200, (
            "it has tried again: a balancer that asks sends nothing before it is ready"
        )
        assert [one.deliver(svix_id=f"msg_{number}") for number in range(20)].count(204) >= 18
        assert one.get_json("/ready")[0] == 200
        assert one.stop() == 0
    lines = one.lines()
    assert all(line.endswith(b"\n") for line in lines)
    assert not {judge(line)[0].svix_id for line in lines} & {"msg_long", None}
    assert "writing resumed" in [event["event"] for event in one.log]


def test_a_folder_that_is_read_only_or_emptied_is_asked_again_later(tmp_path: Path) -> None:
    with receiver(tmp_path, before=AS_ANYBODY) as one:
        tmp_path.chmod(0o555)
        assert one.deliver() == 503
        status, said = one.get_json("/ready")
        assert (status, said["ready"], said["problem"]) == (503, False, "Permission denied")
        tmp_path.chmod(0o755)
        assert one.deliver() == 204
        [file] = files_in(tmp_path)
        file.unlink()
        assert one.deliver() == 503, "it would be in a file without a name"
        assert one.deliver() == 204
        assert len(one.lines()) == 1


IMPATIENT = """
from pipelines.receive import application, server
application.BODY_SECONDS = server.HEADER_SECONDS = server.KEEP_ALIVE_SECONDS = 0.2
application.BODIES_BYTES = 1000
"""


def test_clients_that_are_slow_or_send_too_much_at_once_are_sent_away(tmp_path: Path) -> None:
    """Nobody has signed what they send: they must take neither all connections nor all memory."""
    with receiver(tmp_path, patch=IMPATIENT) as one:
        assert one.raw() == b"", "no request"
        assert one.raw(REQUEST) == b"", "headers that do not end"
        assert one.raw(REQUEST + b"content-length: 5\r\n\r\n", b"x").startswith(b"HTTP/1.1 408 ")
        assert one.raw(REQUEST + b"transfer-encoding: chunked\r\n\r\n5\r\n", b"x").startswith(b"HTTP/1.1 408 ")
        assert one.deliver(b" " * 1001) == 503
        assert one.deliver() == 204, "what was refused is not held"


def test_a_folder_has_one_receiver(running: RunningReceiver) -> None:
    with (
        pytest.raises(AssertionError, match=r"another receiver is writing there\. Stop it first"),
        receiver(running.folder),
    ):
        pass
    assert running.deliver() == 204


def test_files_are_cut_by_size(tmp_path: Path) -> None:
    from pipelines.receive.files import DeliveryFiles  # noqa: PLC0415

    files = DeliveryFiles(tmp_path, 10)
    for line in (b"12345\n", b"12345\n", b"12345\n"):
        files.append([line])
    files.close()
    assert [file.read_bytes() for file in files_in(tmp_path)] == [b"12345\n12345\n", b"12345\n"]


def test_an_address_that_is_taken_is_named(running: RunningReceiver) -> None:
    with (
        pytest.raises(StudyflowError, match=rf"127.0.0.1:{running.port}: cannot listen there .* --listen"),
        listening("127.0.0.1", running.port),
    ):
        pass
