"""What is asked of the operating system for files and Python has no one call for."""

import ctypes
import errno
import os
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_NO_SUCH_CALL = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_FLUSHES_AT_ONCE = 16
DRAFT = ".studyflow-draft"
OLD_DRAFT_SECONDS = 3600


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
    """Have the disk hold a folder and all in it. Many at once: one by one takes ten times as long."""
    with ThreadPoolExecutor(_FLUSHES_AT_ONCE) as pool:
        list(pool.map(flush_one, [folder, *folder.rglob("*")]))


def flush_one(path: Path) -> None:
    """Have the disk hold a file's content or a folder's list of names."""
    if sys.platform == "win32" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file, text in UTF-8, so that others see the one of before or this one, never half of it.

    Raises:
        OSError: it cannot be written; then nothing is left of it.
    """
    _clear_drafts(file.parent)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}{DRAFT}")
    try:
        with draft.open("xb") as opened:  # never behind a link
            opened.write(content.encode() if isinstance(content, str) else content)
        draft.replace(file)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _clear_drafts(folder: Path) -> None:
    """Remove what processes that were killed left in a folder: no other is at work on a draft for an hour."""
    with suppress(OSError):
        for draft in folder.glob(f".*{DRAFT}"):
            if draft.lstat().st_mtime < time.time() - OLD_DRAFT_SECONDS:
                draft.unlink()
