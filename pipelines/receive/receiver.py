"""The receiver: checks signatures, stores deliveries, and keeps counts and health."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from prometheus_client import generate_latest

from pipelines import logs
from pipelines.plain import instant
from pipelines.receive.commits import GroupCommit
from pipelines.receive.files import TEST_ID_PREFIX, DeliveryFiles, count_lines, envelope_line, last_received
from pipelines.receive.metrics import Metrics
from pipelines.receive.signatures import Refusal, Signatures, signed_headers

LEAST_FREE_BYTES = 100 << 20
"""With less free space, /ready answers 503. Deliveries are still stored as long as the disk accepts them."""
SUMMARY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """The folder for deliveries, the signing secrets, and the maximum sizes of a file and of a body, in bytes."""

    folder: Path
    secrets: tuple[str, ...]
    file_bytes: int
    body_bytes: int


class Receiver:
    """Stores the deliveries of one endpoint. Must be created in a running event loop."""

    def __init__(self, settings: ReceiverSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.refused: Counter[Refusal] = Counter()
        self._signatures = Signatures(settings.secrets)
        self._files = DeliveryFiles(settings.folder, settings.file_bytes)
        self._commits = GroupCommit(self._append)
        self._problem: str | None = None
        self._last_delivery = last_received(settings.folder)
        today = datetime.now(UTC).date()
        self._lines_by_day = Counter({today: count_lines(settings.folder, today)})
        self._since_summary: Counter[str] = Counter()
        self._skew: float | None = None

    async def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Store a delivery if its signature is valid; return the HTTP status of the answer."""
        now = datetime.now(UTC)
        if refusal := self._signatures.refusal(headers, body, now.timestamp()):
            self.refused[refusal] += 1
            self.metrics.refusals.labels(refusal).inc()
            self._since_summary[f"refused_{refusal}"] += 1
            return 401
        signed = signed_headers(headers)
        line = envelope_line(signed["webhook-id"], now, body)
        try:
            await self._commits.keep(line)
        except OSError:
            return 503
        if not signed["webhook-id"].startswith(TEST_ID_PREFIX):
            self._last_delivery = now
            self._skew = now.timestamp() - float(signed["webhook-timestamp"])
        self.metrics.bytes.inc(len(line))
        self._lines_by_day[now.date()] += 1
        self._since_summary["kept"] += 1
        return 204

    def count_answer(self, status: int) -> None:
        """Count an answer to a delivery."""
        self.metrics.answers.labels(status).inc()
        if status not in {204, 401}:
            self._since_summary[f"answered_{status}"] += 1

    def health(self) -> dict[str, Any]:
        """The response of /health.

        `ready`: the last commit succeeded and there is enough free space. `problem`: why the last commit failed.
        `refused`: counts since the start.
        """
        last, now = self._last_delivery, datetime.now(UTC)
        free = _free_bytes(self.settings.folder)
        return {
            "ready": self._problem is None and free >= LEAST_FREE_BYTES,
            "problem": self._problem,
            "last_delivery": last and instant(last.replace(microsecond=0)),
            "seconds_since_last_delivery": last and round((now - last).total_seconds()),
            "lines_today": self._lines_by_day[now.date()],
            "free_bytes": free,
            "refused": {reason: self.refused[reason] for reason in get_args(Refusal)},
            "clock_skew_seconds": self._skew if self._skew is None else round(self._skew, 1),
        }

    async def retry_commit(self) -> None:
        """After a failed commit, try an empty one, so that /ready recovers although no deliveries are sent."""
        if self._problem:
            with suppress(OSError):
                await self._commits.keep(b"")

    def render_metrics(self) -> bytes:
        """All metrics in Prometheus' text format, with current values."""
        health = self.health()
        self.metrics.free.set(health["free_bytes"])
        self.metrics.lines_today.set(health["lines_today"])
        self.metrics.skew.set(health["clock_skew_seconds"] or 0)
        self.metrics.last_delivery.set(self._last_delivery.timestamp() if self._last_delivery else 0)
        return generate_latest(self.metrics.registry)

    async def summarise_in_log(self) -> None:
        """Log once a minute how many deliveries were stored and refused, instead of a line for each delivery."""
        while True:
            await asyncio.sleep(SUMMARY_SECONDS)
            self._write_summary()

    async def close(self) -> None:
        """Finish waiting deliveries and close the file."""
        await self._commits.close()
        self._files.close()
        self._write_summary()

    def _append(self, lines: Sequence[bytes]) -> None:
        started = time.perf_counter()
        try:
            self._files.append(lines)
        except OSError as error:
            self.metrics.failures.inc()
            reason = error.strerror or str(error)
            if self._problem != reason:
                logs.log_problem(f"{self.settings.folder}: deliveries cannot be written: {reason}.")
            self._problem = reason
            raise
        if self._problem:
            logs.log("writing resumed")
        self._problem = None
        self.metrics.commits.observe(time.perf_counter() - started)

    def _write_summary(self) -> None:
        if counted := dict(self._since_summary):
            self._since_summary.clear()
            logs.log("deliveries", **counted)


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
