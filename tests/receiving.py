"""A receiver in a process of its own, and a client that signs as Svix does."""

import base64
import http.client
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from processes import PROJECT
from standardwebhooks.webhooks import Webhook

SECRET, OLD_SECRET, WRONG_SECRET = (f"whsec_{base64.b64encode(name * 24).decode()}" for name in (b"n", b"o", b"w"))
PATH = "/webhooks"
BODY = (
    b'{"_eventType":"participant.status_changed","participantId":"p1","personId":"e1","studyId":"s1",'
    b'"status":"INVITE_SENT","priorStatus":"NOT_STARTED","updatedAt":"2026-07-01T10:00:00.000Z"}'
)


def signed(
    body: bytes, svix_id: str = "msg_1", *, secret: str = SECRET, moment: datetime | None = None, prefix: str = "svix"
) -> dict[str, str]:
    """The headers of a delivery that is sent now, or at another moment."""
    moment = moment or datetime.now(UTC)
    return {
        f"{prefix}-id": svix_id,
        f"{prefix}-timestamp": str(int(moment.timestamp())),
        f"{prefix}-signature": Webhook(secret).sign(svix_id, moment, body.decode()),
    }


@dataclass
class RunningReceiver:
    """A receiver that listens. `log` is complete once it has ended."""

    process: subprocess.Popen[str]
    port: int
    folder: Path
    log: list[dict[str, Any]] = field(default_factory=list)

    def send(
        self,
        body: bytes | Iterable[bytes],
        headers: dict[str, str] | None = None,
        method: str = "POST",
        path: str = PATH,
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a body in pieces is sent chunked."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def deliver(self, body: bytes = BODY, svix_id: str = "msg_1", **more: Any) -> int:  # noqa: ANN401 - as `signed` has it
        """Send a signed delivery; the status of the answer."""
        return self.send(body, signed(body, svix_id, **more))[0]

    def raw(self, *pieces: bytes) -> bytes:
        """All that is answered to these bytes, until the receiver closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            for piece in pieces:
                connection.sendall(piece)
            answer = b""
            with suppress(ConnectionResetError):
                while more := connection.recv(65_536):
                    answer += more
            return answer

    def get_json(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON document of /health or /ready."""
        status, body = self.send(b"", method="GET", path=path)
        return status, json.loads(body)

    def lines(self) -> list[bytes]:
        """All that is in the files, each line with its end."""
        return [line for file in files_in(self.folder) for line in file.read_bytes().splitlines(keepends=True)]

    def stop(self) -> int:
        """Ask it to stop, and read its log; the exit code."""
        self.process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended, and read its log; the exit code."""
        _, said = self.process.communicate(timeout=60)
        self.log += [json.loads(line) for line in said.splitlines()]
        return self.process.returncode


def files_in(folder: Path) -> list[Path]:
    """The files of a receiver in the order of their names."""
    return sorted(folder.glob("*.jsonl"))


def environment(secrets: str = f"{OLD_SECRET} {SECRET}") -> dict[str, str]:
    """The environment of this process with the receiver's secrets and no other setting of studyflow."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("STUDYFLOW_")}
    return mine | {"STUDYFLOW_WEBHOOK_SECRETS": secrets}


def command(folder: Path, port: int = 0) -> list[str]:
    """What starts a receiver."""
    words = ("receive", "--receive-folder", str(folder), "--listen", f"127.0.0.1:{port}")
    return [sys.executable, "-m", "pipelines", *words]


@contextmanager
def receiver(folder: Path, port: int = 0, before: Iterable[str] = (), patch: str = "") -> Iterator[RunningReceiver]:
    """A receiver that writes to the folder. `before`: words before its command; `patch`: Python to run first."""
    words = [*before, *command(folder, port)]
    if patch:
        at = words.index("-m")
        words[at : at + 2] = ["-c", f"{patch}\nfrom pipelines.cli import main\nmain()"]
    process = subprocess.Popen(words, cwd=PROJECT, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        first = process.stderr.readline()
        assert first.startswith("{"), first + process.stderr.read()
        started = json.loads(first)
        assert started["event"] == "receiver started", started
        yield RunningReceiver(process, int(started["address"].rpartition(":")[2]), folder, [started])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


AS_ANYBODY = (
    ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override", "--")
    if os.geteuid() == 0 and shutil.which("setpriv")
    else ()
)
"""What root may not write to without this capability, others may not either."""


class Sender:
    """Sends deliveries over several connections, each again and again until it is answered 2xx, as Svix does."""

    def __init__(self, port: int, bodies: list[bytes], connections: int) -> None:
        self.acknowledged: list[int] = []
        self._port = port
        self._bodies = bodies
        self._numbers = iter(range(len(bodies)))
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._work) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many deliveries are acknowledged."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.acknowledged) >= count, timeout=300)

    def end(self) -> None:
        """Wait until all are acknowledged."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while True:
            with self._changed:
                number = next(self._numbers, None)
            if number is None:
                connection.close()
                return
            body = self._bodies[number]
            for attempt in itertools.count(1):
                try:
                    connection.request("POST", PATH, body, signed(body, f"msg_{number}"))
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 204:
                        break
                except (OSError, http.client.HTTPException):
                    connection.close()
                    threading.Event().wait(min(0.1, 0.005 * attempt))  # until the next receiver listens
            with self._changed:
                self.acknowledged.append(number)
                self._changed.notify_all()
