"""Bytes from one file to another without passing through Python, where the system can do that."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NO_SUCH_CALL = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOTSOCK, errno.EPERM}
_AT_ONCE = 1 << 20


def copy_range(source: IO[bytes], start: int, end: int, target: IO[bytes]) -> None:
    """Append the bytes from start to end.

    Raises:
        OSError: the source ends before, or something cannot be read or written.
    """
    target.flush()
    while start < end:
        done = _copied(source, start, end - start, target)
        if not done:
            raise OSError(errno.EIO, "a file became shorter while it was copied", source.name)
        start += done
    target.seek(0, os.SEEK_END)


def link(source: Path, target: Path) -> None:
    """Give a file another name; where that is not possible, copy it.

    Raises:
        OSError: it cannot be copied.
    """
    try:
        target.hardlink_to(source)
    except OSError:
        with source.open("rb") as old, target.open("xb") as new:
            copy_range(old, 0, os.fstat(old.fileno()).st_size, new)


def _copied(source: IO[bytes], start: int, size: int, target: IO[bytes]) -> int:
    """Copy some of it by the first call that works here; how much. Some systems say 0 where they cannot."""
    with suppress(AttributeError), _refused():
        if done := os.copy_file_range(source.fileno(), target.fileno(), size, start):
            return done
    with suppress(AttributeError), _refused():
        if done := os.sendfile(target.fileno(), source.fileno(), start, size):
            return done
    source.seek(start)
    piece = source.read(min(size, _AT_ONCE))
    target.seek(0, os.SEEK_END)
    target.write(piece)
    target.flush()
    return len(piece)


@contextmanager
def _refused() -> Iterator[None]:
    """Go on where the system has no such call for such files.

    Raises:
        OSError: the call itself failed.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:
            raise
