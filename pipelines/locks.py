"""One process at a time at a folder."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import StudyflowError

SECONDS_OF_A_TRY = 0.2


@contextmanager
def alone(
    workspace: Path, seconds: float = 0, waiting: Callable[[int | None], object] = lambda _: None
) -> Iterator[bool]:
    """Whether this process is the only one to use the folder, which is made for it and removed if empty at the end.

    It waits up to `seconds` for another process to end; `waiting` is then called once with the process id of that one,
    if known. The system frees the lock when a process ends, however it ends.

    Raises:
        StudyflowError: the folder is a link: what is cleared away in it could be anybody's.
        OSError: the folder cannot be made or written to, or its file system has no locks.
    """
    if workspace.is_symlink():
        msg = f"{workspace}: this is a link, but studyflow needs a folder of this name. Remove the link."
        raise StudyflowError(msg)
    lock = FileLock(workspace / "lock", mode=0o666, on_acquired=_write_pid)
    until = time.monotonic() + seconds
    has_told = False
    while not _is_acquired(lock, workspace):
        if not time.monotonic() < until:  # nor if it is no number
            yield False
            return
        if not has_told:
            waiting(holder(workspace))
            has_told = True
    try:
        yield True
    finally:
        _remove(workspace)  # while it is held: who waits for a file that is gone begins anew
        lock.release()
        _remove(workspace)  # Windows removes no file that is open


def holder(workspace: Path) -> int | None:
    """The process that has the folder, as it wrote there, for a message."""
    try:
        return int((workspace / "lock").read_text())
    except (OSError, ValueError):
        return None


def _is_acquired(lock: FileLock, workspace: Path) -> bool:
    while True:
        workspace.mkdir(exist_ok=True)
        try:
            lock.acquire(timeout=SECONDS_OF_A_TRY)
        except FileNotFoundError:  # its last holder has just removed the folder
            continue
        except Timeout:
            return False
        return True


def _write_pid(lock: int) -> None:
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())


def _remove(workspace: Path) -> None:
    with suppress(OSError):
        (workspace / "lock").unlink(missing_ok=True)
        workspace.rmdir()
