"""File operations for which Python has no single call: swap two folders, sync to disk, write a file atomically."""

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
_SYNCS_AT_ONCE = 16
DRAFT = ".studyflow-draft"
OLD_DRAFT_SECONDS = 3600


def swap_folders(one: Path, other: Path) -> bool:
    """Swap the names of two folders in one step; false if the operating or file system cannot do this.

    Raises:
        OSError: the system can swap folders, but the call failed.
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


def sync_tree(folder: Path) -> None:
    """Sync a folder and everything in it to disk, in parallel. One file after the other takes ten times as long."""
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(sync, [folder, *folder.rglob("*")]))


def sync(path: Path) -> None:
    """Sync a file's content, or the names in a folder, to disk."""
    if sys.platform == "win32" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(file: Path, content: str | bytes) -> None:
    """Write a file (text as UTF-8) in one step: readers see the old file or the complete new one.

    Raises:
        OSError: the file cannot be written; the old file is unchanged, and no partial file remains.
    """
    _delete_old_drafts(file.parent)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}{DRAFT}")
    try:
        with draft.open("xb") as opened:  # "x" fails if a link has this name
            opened.write(content.encode() if isinstance(content, str) else content)
        draft.replace(file)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _delete_old_drafts(folder: Path) -> None:
    """Delete drafts that killed processes left. No process needs an hour for a draft, so older ones are abandoned."""
    with suppress(OSError):
        for draft in folder.glob(f".*{DRAFT}"):
            if draft.lstat().st_mtime < time.time() - OLD_DRAFT_SECONDS:
                draft.unlink()
