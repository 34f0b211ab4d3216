"""A lock that lets one process at a time use a folder."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import StudyflowError

ATTEMPT_SECONDS = 0.2


@contextmanager
def folder_lock(
    workspace: Path, seconds: float = 0, on_wait: Callable[[int | None], object] = lambda _: None
) -> Iterator[bool]:
    """Lock a folder, creating it if needed; yield whether this worked. At the end, an empty folder is removed.

    If another process has the lock, wait up to `seconds` for it; `on_wait` is then called once with its process id, or
    with None if that is unknown. The system releases the lock when a process ends, even if it is killed.

    Raises:
        StudyflowError: the folder is a link. Its content could belong to anyone, and callers delete files in it.
        OSError: the folder cannot be made or written to, or its file system has no locks.
    """
    if workspace.is_symlink():
        msg = f"{workspace}: this is a link, but studyflow needs a folder of this name. Remove the link."
        raise StudyflowError(msg)
    lock = FileLock(workspace / "lock", mode=0o666, on_acquired=_write_pid)
    until = time.monotonic() + seconds
    is_waiting = False
    while not _is_acquired(lock, workspace):
        if not time.monotonic() < until:  # written like this, a NaN does not wait either
            yield False
            return
        if not is_waiting:
            on_wait(lock_holder(workspace))
            is_waiting = True
    try:
        yield True
    finally:
        _remove(workspace)  # while the lock is held: a process that waits for the deleted file starts again
        lock.release()
        _remove(workspace)  # Windows cannot delete an open file


def lock_holder(workspace: Path) -> int | None:
    """The id of the process that has locked the folder; None if unknown."""
    try:
        return int((workspace / "lock").read_text())
    except (OSError, ValueError):
        return None


def _is_acquired(lock: FileLock, workspace: Path) -> bool:
    while True:
        workspace.mkdir(exist_ok=True)
        try:
            lock.acquire(timeout=ATTEMPT_SECONDS)
        except FileNotFoundError:  # the process that had the lock has just removed the folder
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
