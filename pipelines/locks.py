"""One process at a time at a folder."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipelines.errors import StudyflowError

LOOK_AGAIN_AFTER = 0.2
"""Seconds between two looks at a lock that somebody else has."""


@contextmanager
def alone(workspace: Path) -> Iterator[bool]:
    """Whether this process is the only one to use the folder, which is made for it and removed if empty at the end.

    The system forgets the lock when a process ends, however it does.

    Raises:
        StudyflowError: the folder is a link: what is cleared away in it could be anybody's.
        OSError: it cannot be made, or not be written to.
    """
    lock = workspace / "lock"
    if workspace.is_symlink():
        msg = f"{workspace}: studyflow works in a folder of this name, and this is a link. Remove the link."
        raise StudyflowError(msg)
    while True:
        workspace.mkdir(exist_ok=True)
        try:
            file = open(lock, "a+", opener=_not_behind_a_link)  # noqa: SIM115
        except FileNotFoundError:
            continue
        with file:
            is_alone = _locked(file)
            if is_alone and not _is_still_at(lock, file):
                continue
            try:
                if is_alone:
                    _sign(file)
                yield is_alone
            finally:
                if is_alone and _is_still_at(lock, file):
                    with suppress(OSError):
                        lock.unlink()
                        workspace.rmdir()
        return


@contextmanager
def alone_in_time(workspace: Path, seconds: float, waiting: Callable[[int | None], object]) -> Iterator[bool]:
    """The same, but wait so long for another process to end; `waiting` is told once which one it is, if known."""
    until = time.monotonic() + seconds
    has_told = False
    while True:
        with alone(workspace) as is_alone:
            if is_alone or not time.monotonic() < until:  # nor where it is no number
                yield is_alone
                return
        if not has_told:
            waiting(holder(workspace))
            has_told = True
        time.sleep(LOOK_AGAIN_AFTER)


def holder(workspace: Path) -> int | None:
    """The process that has the folder, as it wrote there, for a message."""
    try:
        return int((workspace / "lock").read_text())
    except (OSError, ValueError):
        return None


def _not_behind_a_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _sign(file: IO[str]) -> None:
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def _is_still_at(path: Path, file: IO[str]) -> bool:
    """False when the one who had the lock removed it in the meantime."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _locked(file: IO[str]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
