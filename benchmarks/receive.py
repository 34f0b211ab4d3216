"""Measures how many deliveries per second `studyflow receive` acknowledges, compared with a plain handler.

    .venv/bin/python benchmarks/receive.py
    .venv/bin/python benchmarks/receive.py --deliveries 1000000 --only studyflow   # does memory grow?
    .venv/bin/python benchmarks/receive.py --idle 10000                            # with idle connections

One client process signs like Svix and sends one delivery at a time on each connection. Signing is not measured. Times
are from the first byte of the request to the last byte of the answer. Memory is the receiver's resident memory.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from standardwebhooks.webhooks import Webhook

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
SECRET = f"whsec_{base64.b64encode(os.urandom(24)).decode()}"
SIGNED_TOGETHER = 10_000
"""How many deliveries are signed before they are sent. They must be sent within the tolerance of 5 minutes."""
BODY = (
    '{{"_eventType":"participant.status_changed","participantId":"participant-{0}","personId":"person-{0}",'
    '"studyId":"study-1","status":"INVITE_SENT","priorStatus":"NOT_STARTED","updatedAt":"2026-07-01T10:00:00.000Z"}}'
)


def main() -> None:
    """Measure, and print a line of JSON for each contestant."""
    options = _arguments()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for name in options.only or ("studyflow", "plain"):
        with TemporaryDirectory(dir=options.folder) as scratch, _running(name, Path(scratch)) as (process, port):
            measured = asyncio.run(_measure(port, process.pid, options))
            lines = sum(file.read_bytes().count(b"\n") for file in Path(scratch).glob("*.jsonl"))
        if lines != options.deliveries or measured["answers"] != {"204": options.deliveries}:
            sys.exit(f"{name} acknowledged {measured['answers']} of {options.deliveries:,} and kept {lines:,}")
        print(json.dumps({"contestant": name, **measured}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--idle", type=int, default=0, help="idle connections beside them")
    parser.add_argument("--only", action="append", choices=("studyflow", "plain"))
    parser.add_argument("--folder", type=Path, default=PROJECT / "target", help="on the disk to measure")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    return options


@contextmanager
def _running(name: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = {
        "studyflow": ["-m", "pipelines", "receive", "--receive-folder", str(folder), "--listen", f"127.0.0.1:{port}"],
        "plain": [str(HERE / "peers" / "plain_receiver.py"), str(folder / "plain.jsonl"), str(port)],
    }[name]
    environment = os.environ | {"STUDYFLOW_WEBHOOK_SECRETS": SECRET}
    process = subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield process, port
    finally:
        process.terminate()
        process.wait()


async def _measure(port: int, pid: int, options: argparse.Namespace) -> dict[str, Any]:
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(options.idle)]
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(options.connections)]
    answers: Counter[str] = Counter()
    times: list[float] = []
    memory: list[int] = []
    seconds = 0.0
    for start in range(0, options.deliveries, SIGNED_TOGETHER):
        requests = iter([_request(number) for number in range(start, min(start + SIGNED_TOGETHER, options.deliveries))])
        began = time.perf_counter()
        await asyncio.gather(*(_send(requests, *connection, answers, times) for connection in connections))
        seconds += time.perf_counter() - began
        memory.append(_resident(pid))
    for _, writer in (*idle, *connections):
        writer.close()
    times.sort()
    return {
        "deliveries_per_second": round(options.deliveries / seconds),
        "milliseconds": {f"p{share}": round(times[len(times) * share // 100] * 1000, 1) for share in (50, 90, 99)},
        "memory_mb": {"first": memory[0], "last": memory[-1], "largest": max(memory)},
        "cpu_seconds": _cpu_seconds(pid),
        "answers": dict(answers),
        "connections": options.connections,
        "idle": options.idle,
    }


def _request(number: int) -> bytes:
    now, body, svix_id = datetime.now(UTC), BODY.format(number), f"msg_{number}"
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "svix-id": svix_id,
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": Webhook(SECRET).sign(svix_id, now, body),
    }
    lines = ["POST /webhooks HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return "\r\n".join(lines).encode()


async def _send(
    requests: Iterator[bytes],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: Counter[str],
    times: list[float],
) -> None:
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")  # a 204 has no body
        times.append(time.perf_counter() - began)
        answers[head[9:12].decode()] += 1


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def _cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return round((int(user) + int(system)) / os.sysconf("SC_CLK_TCK"), 1)


if __name__ == "__main__":
    main()
