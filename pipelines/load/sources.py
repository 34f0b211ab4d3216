"""Which files to read: files, folders and globs as a person gives them, as a list of files in a fixed order."""

import errno
import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.errors import SourceError

Compression = Literal["none", "gzip", "zstd"]

WEBHOOK_FILE = re.compile(r"\.(jsonl|ndjson)(\.(gz|zst))?$", re.IGNORECASE)
REMEDY = "Make it readable, or take it away."
MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was when the load started: what grows after that waits for the next load."""

    path: Path
    name: str
    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    compression: Compression


def find(paths: Iterable[Path]) -> tuple[list[SourceFile], list[SourceError]]:
    """Every webhook file under the paths, once, by name; and what could not be read.

    A file that is named is read whatever its ending. In a folder, at any depth, those that end in .jsonl or
    .ndjson, plain or with .gz or .zst, are read. Hard and symbolic links to one file count as one.
    """
    found: dict[tuple[int, int], SourceFile] = {}
    problems: list[SourceError] = []
    for path in sorted(_expand(paths, problems), key=os.fsencode):
        try:
            source = look_at(path)
        except OSError as error:
            problems.append(SourceError(display_name(path), f"cannot be read ({error.strerror}). {REMEDY}"))
            continue
        found.setdefault((source.device, source.inode), source)
    return sorted(found.values(), key=lambda source: source.name), problems


def _expand(paths: Iterable[Path], problems: list[SourceError]) -> Iterator[Path]:
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above is closed to us
            yield from _walk(path, problems)
        elif os.path.lexists(path):
            yield path
        elif matches := glob.glob(str(path), recursive=True):  # noqa: PTH207 - Path.glob takes no absolute pattern
            yield from _expand(map(Path, matches), problems)
        else:
            problems.append(SourceError(display_name(path), "no such file, folder or match. Check the path."))


def _walk(folder: Path, problems: list[SourceError]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        problems.append(
            SourceError(display_name(Path(error.filename)), f"cannot be listed ({error.strerror}). {REMEDY}")
        )

    for parent, _, names in os.walk(folder, onerror=note):
        yield from (Path(parent, name) for name in names if WEBHOOK_FILE.search(name))


def look_at(path: Path) -> SourceFile:
    """The file as it is now.

    Raises:
        OSError: it cannot be opened, is a pipe, a socket or a device, or does not tell its size.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        start = file.read(4)
        status = os.fstat(file.fileno())
    if start and not status.st_size:  # files of /proc
        raise OSError(errno.EINVAL, "it does not say how long it is")
    compression: Compression = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "none")
    return SourceFile(
        path=path,
        name=display_name(path),
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        changed_ns=status.st_ctime_ns,
        compression=compression,
    )


def display_name(path: Path) -> str:
    r"""The absolute path as text; bytes that are no UTF-8 are shown like \xff."""
    return os.fsencode(path.absolute()).decode("utf-8", "backslashreplace")
