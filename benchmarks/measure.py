"""One command in a process of its own: wall time, CPU time and peak memory of it and of what it starts."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PAGE = os.sysconf("SC_PAGE_SIZE")
LOOKS_EVERY = 0.2
GB = 1e9


@dataclass(frozen=True, slots=True)
class Limits:
    """When a command is stopped: seconds of wall time, bytes of memory."""

    seconds: float
    memory: float


@dataclass(frozen=True, slots=True)
class Measured:
    """`seconds` of wall time, `cpu` seconds (user and system) and `peak` bytes of the largest process.

    `stopped` says why it did not end, or is None.
    """

    seconds: float
    cpu: float
    peak: int
    output: str
    stopped: str | None

    def as_dict(self) -> dict[str, Any]:
        """The numbers, without what was printed."""
        return {name: value for name, value in asdict(self).items() if name != "output"}


def measure(
    command: list[str], environment: dict[str, str], limits: Limits, folder: Path, may_exit: int = 0
) -> Measured:
    """Run a command to its end or to a limit.

    Raises:
        RuntimeError: it failed; the message has the end of what it said.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=errors, start_new_session=True
        )
        guard = _Guard(process.pid, start, limits)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        guard.ended.set()
        guard.thread.join()
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode not in {0, may_exit} and guard.why is None:
            said = (errors.read() or output.read())[-3_000:]
            msg = f"{command[:3]} ended with {process.returncode}:\n{said}"
            raise RuntimeError(msg)
        return Measured(
            round(seconds, 3),
            round(usage.ru_utime + usage.ru_stime, 3),
            usage.ru_maxrss * 1024,
            output.read(),
            guard.why,
        )


class _Guard:
    """Watches a process from a thread and ends it, and what it started, when it is over a limit."""

    def __init__(self, pid: int, start: float, limits: Limits) -> None:
        self.why: str | None = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, args=(pid, start, limits), daemon=True)
        self.thread.start()

    def _watch(self, pid: int, start: float, limits: Limits) -> None:
        while not self.ended.wait(LOOKS_EVERY):
            if time.perf_counter() - start > limits.seconds:
                self.why = f"stopped after {limits.seconds:,.0f} s"
            elif _resident(pid) > limits.memory:
                self.why = f"stopped at {limits.memory / GB:,.0f} GB"
            if self.why:
                os.killpg(pid, signal.SIGKILL)
                return


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds now; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return 0
