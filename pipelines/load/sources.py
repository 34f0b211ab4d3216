"""A file or object to load, with what identifies it: name, size, times, inode or ETag."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pipelines.compression import Compression
from pipelines.object_paths import RawPath

MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was when the load started. Bytes that are appended later are left for the next load.

    A file on disk has a device and an inode; an object has an ETag.
    """

    path: RawPath
    name: str
    size: int
    modified_ns: int
    changed_ns: int
    compression: Compression
    device: int | None = None
    inode: int | None = None
    etag: str = ""


def look_at(path: Path) -> SourceFile:
    """The file as it is now.

    Raises:
        OSError: it cannot be opened, is not a regular file, or has no known size (files of /proc).
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        start = file.read(4)
        status = os.fstat(file.fileno())
    if start and not status.st_size:
        raise OSError(errno.EINVAL, "its length is unknown")
    return SourceFile(
        path=path,
        name=display_name(path),
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        changed_ns=status.st_ctime_ns,
        compression=compression_of(start),
    )


def compression_of(start: bytes) -> Compression:
    """The compression of content that begins with these bytes."""
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "none")


def display_name(path: RawPath) -> str:
    r"""The address of an object, or the absolute path as text; bytes that are not UTF-8 are shown as \xff."""
    return os.fsencode(path.absolute()).decode("utf-8", "backslashreplace") if isinstance(path, Path) else str(path)
