"""Measures a command: wall time, CPU time, peak memory and disk use, including its child processes."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
PAGE = os.sysconf("SC_PAGE_SIZE")
CHECK_SECONDS = 0.2
GB = 1e9


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits after which a command is stopped: seconds of wall time, bytes of memory."""

    seconds: float
    memory: float


@dataclass(frozen=True, slots=True)
class Measured:
    """`seconds` of wall time, `cpu` seconds (user and system), `peak` bytes of the largest process, and `disk` bytes.

    `disk` is the peak size of the files it wrote. `stopped` is the reason if the command was stopped, else None.
    """

    seconds: float
    cpu: float
    peak: int
    disk: int
    output: str
    stopped: str | None

    def as_dict(self) -> dict[str, Any]:
        """The result without the output of the command."""
        return {name: value for name, value in asdict(self).items() if name != "output"}


def measure(
    command: list[str], environment: dict[str, str], limits: Limits, folder: Path, may_exit: int = 0
) -> Measured:
    """Run a command in the project until it ends or reaches a limit. `folder` is where it writes.

    Raises:
        RuntimeError: the exit code is neither 0 nor `may_exit`. The message has the end of the output.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=PROJECT, stdout=output, stderr=errors, start_new_session=True
        )
        guard = _Guard(process.pid, start, limits, folder)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        guard.ended.set()
        guard.thread.join()
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode not in {0, may_exit} and guard.why is None:
            printed = (errors.read() or output.read())[-3_000:]
            msg = f"{command[:3]} ended with {process.returncode}:\n{printed}"
            raise RuntimeError(msg)
        return Measured(
            round(seconds, 3),
            round(usage.ru_utime + usage.ru_stime, 3),
            usage.ru_maxrss * 1024,
            max(guard.disk, _size(folder) - guard.disk_before),
            output.read(),
            guard.why,
        )


class _Guard:
    """Watches a process from a thread, and kills its process group if it exceeds a limit."""

    def __init__(self, pid: int, start: float, limits: Limits, folder: Path) -> None:
        self.why: str | None = None
        self.disk = 0
        self.disk_before = _size(folder)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, args=(pid, start, limits, folder), daemon=True)
        self.thread.start()

    def _watch(self, pid: int, start: float, limits: Limits, folder: Path) -> None:
        while not self.ended.wait(CHECK_SECONDS):
            self.disk = max(self.disk, _size(folder) - self.disk_before)
            if time.perf_counter() - start > limits.seconds:
                self.why = f"stopped after {limits.seconds:,.0f} s"
            elif _resident(pid) > limits.memory:
                self.why = f"stopped at {limits.memory / GB:,.0f} GB"
            if self.why:
                os.killpg(pid, signal.SIGKILL)
                return


def _resident(pid: int) -> int:
    """The resident memory of a process in bytes; 0 if unknown."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return 0


def _size(folder: Path) -> int:
    """The disk space of the files in a folder, in bytes. Files and folders that disappear meanwhile are ignored."""
    size = 0
    for parent, _, names in os.walk(folder):  # Path.rglob raises an error if a folder disappears
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(parent, name).lstat().st_blocks * 512
    return size
