"""What the export asks of the operating system and Python has no one call for."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_NO_SUCH_CALL = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_FLUSHES_AT_ONCE = 16


def exchange(one: Path, other: Path) -> bool:
    """Give each folder the other's name in one step. False where the system or the file system has no such call.

    Raises:
        OSError: it has, and the call failed.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, _RENAME_SWAP)
        else:
            failed = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
    except (AttributeError, OSError, TypeError):
        return False
    problem = ctypes.get_errno()
    if failed and problem not in _NO_SUCH_CALL:
        raise OSError(problem, os.strerror(problem), str(other))
    return not failed


def flush(folder: Path) -> None:
    """Have the disk hold every folder in it and every file that has no other name: one that has was there before.

    Many at once: one by one takes ten times as long.
    """
    paths = [folder]
    for parent, folders, files in os.walk(folder):
        paths += [Path(parent, name) for name in folders]
        paths += [path for path in (Path(parent, name) for name in files) if path.lstat().st_nlink == 1]
    with ThreadPoolExecutor(_FLUSHES_AT_ONCE) as pool:
        list(pool.map(flush_one, paths))


def flush_one(path: Path) -> None:
    """Have the disk hold a file's content or a folder's list of names."""
    if sys.platform == "win32" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def alone(workspace: Path) -> Iterator[bool]:
    """Whether this process is the only one to use the folder, which is made for it and removed if empty at the end.

    The system forgets the lock when a process ends, however it does.
    """
    lock = workspace / "lock"
    while True:
        workspace.mkdir(exist_ok=True)
        try:
            file = lock.open("w")
        except FileNotFoundError:
            continue
        with file:
            is_alone = _locked(file)
            if is_alone and not _is_still_at(lock, file):
                continue
            try:
                yield is_alone
            finally:
                if is_alone:
                    with suppress(OSError):
                        lock.unlink()
                        workspace.rmdir()
        return


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
