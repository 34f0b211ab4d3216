"""What a file holds, decompressed where it is compressed, and the fingerprint that content is known by."""

import hashlib
import io
import os
from collections.abc import Container
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.buckets import AT_ONCE, bucket_of
from pipelines.load.sources import SourceFile
from pipelines.object_paths import ObjectPath

PIECE = 1 << 20
"""A fingerprint has one digest for each piece of this many bytes, and one for the rest."""
DIGEST = 16
HEX = 2 * DIGEST
BLOCK_OF_OBJECT = 8 << 20
"""How much of an object one request asks for."""


class _Plain(io.RawIOBase):
    """A plain file that ends where it ended when the load started, else a load would chase its writer."""

    def __init__(self, source: SourceFile, path: Path) -> None:
        self._source = source
        self._file = path.open("rb", buffering=0)
        self._end = source.size

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview | bytearray, /) -> int:  # type: ignore[override]
        return self._file.readinto(memoryview(room)[: max(0, self._end - self._file.tell())])

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def is_rewritten(self) -> bool:
        """Whether the file was changed, other than by adding to it."""
        status = os.fstat(self._file.fileno())
        is_grown = status.st_size > self._end
        return not is_grown and (status.st_size, status.st_mtime_ns) != (self._end, self._source.modified_ns)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Object(io.RawIOBase):
    """An object, in blocks. The next block is fetched while one is read. All are of the object that was listed."""

    def __init__(self, source: SourceFile, path: ObjectPath) -> None:
        self._fetch = partial(bucket_of(path).read, path.key, source.etag)
        self._end = source.size
        self._position = 0
        self._block = memoryview(b"")
        self._ahead: Future[memoryview] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview | bytearray, /) -> int:  # type: ignore[override]
        """Read at most what is left of a block."""
        if not self._block:
            self.fetch_ahead()
            if self._ahead:
                self._block = self._ahead.result()
                self._ahead = self._fetched_from(self._position + len(self._block))
        size = min(len(room), len(self._block))
        room[:size], self._block = self._block[:size], self._block[size:]
        self._position += size
        return size

    def fetch_ahead(self) -> None:
        """Ask for the next block before it is needed."""
        self._ahead = self._ahead or self._fetched_from(self._position)

    def _fetched_from(self, start: int) -> Future[memoryview] | None:
        end = min(start + BLOCK_OF_OBJECT, self._end)
        return _fetching().submit(self._fetch, start, end) if start < end else None

    def seek(self, offset: int, _whence: int = os.SEEK_SET, /) -> int:
        if offset != self._position:
            self._position, self._block, self._ahead = offset, memoryview(b""), None
        return self._position

    def tell(self) -> int:
        return self._position

    def is_rewritten(self) -> bool:
        """No: it would not have been read to its end."""
        return False

    def close(self) -> None:
        self._block, self._ahead = memoryview(b""), None
        super().close()


@cache
def _fetching() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="objects")


class _Compressed(io.RawIOBase):
    """The content of a compressed file. Arrow's decoder, unlike DuckDB's, notices one that is cut off."""

    def __init__(self, source: SourceFile) -> None:
        self.stored = _as_stored(source)
        self._stream = pa.CompressedInputStream(self.stored, source.compression)

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview | bytearray, /) -> int:  # type: ignore[override]
        size: int = self._stream.readinto(room)
        return size

    def tell(self) -> int:
        """Bytes of the compressed file read so far."""
        return self.stored.tell()

    def is_rewritten(self) -> bool:
        """Whether the file was changed, other than by adding to it."""
        return self.stored.is_rewritten()

    def close(self) -> None:
        self._stream.close()
        self.stored.close()
        super().close()


Seekable = _Plain | _Object
Content = Seekable | _Compressed
Match = Literal["other", "same", "longer"]


def open_content(source: SourceFile) -> Content:
    """The file's content, decompressed where it is compressed."""
    return _as_stored(source) if source.compression == "none" else _Compressed(source)


def _as_stored(source: SourceFile) -> Seekable:
    path = source.path
    return _Object(source, path) if isinstance(path, ObjectPath) else _Plain(source, path)


def fetch_ahead(content: Content, offset: int) -> None:
    """Ask the store for the first block of an object that is needed to read from an offset, so that it is there by then."""
    stored = content
    if isinstance(content, _Compressed):
        stored, offset = content.stored, 0
    if isinstance(stored, _Object):
        stored.seek(offset)
        stored.fetch_ahead()


def skip(content: Content, offset: int) -> None:
    """Go from the start to an offset in bytes of content."""
    if isinstance(content, Seekable):
        content.seek(offset)
        return
    while offset > 0 and (data := content.read(min(offset, PIECE))):
        offset -= len(data)


def take(content: Content, size: int) -> bytes:
    """The next `size` bytes, or the rest if there are fewer."""
    data = b""
    while len(data) < size and (more := content.read(size - len(data))):
        data += more
    return data


class Fingerprint:
    """The digests of the content that was added, piece by piece, as one text."""

    def __init__(self, known: str = "") -> None:
        self._digests = [known]
        self._piece = hashlib.sha256()
        self._room = PIECE

    def add(self, data: bytes | memoryview) -> None:
        """Go on with these bytes."""
        rest = memoryview(data)
        while rest:
            part = rest[: self._room]
            rest = rest[self._room :]
            self._piece.update(part)
            self._room -= len(part)
            if not self._room:
                self._digests.append(self._piece.hexdigest()[:HEX])
                self._piece, self._room = hashlib.sha256(), PIECE

    def text(self) -> str:
        """The fingerprint of all that was added."""
        return "".join(self._digests) + (self._piece.hexdigest()[:HEX] if self._room < PIECE else "")


def _has_digest(data: bytes, digest: str) -> bool:
    """Whether the piece has it: the start of its SHA-256, or as earlier versions made it, its BLAKE2b."""
    if hashlib.sha256(data).hexdigest()[:HEX] == digest:
        return True
    return hashlib.blake2b(data, digest_size=DIGEST).hexdigest() == digest


def compare(source: SourceFile, fingerprint: str, size: int, pieces: Container[int] | None = None) -> Match:
    """Whether the file begins with the content of `size` bytes that has this fingerprint, and whether it goes on.

    All of it is read, or of a plain file `pieces` alone.

    Raises:
        SourceError: the file cannot be read that far.
    """
    try:
        with open_content(source) as content:
            for number in range(-(-size // PIECE)):
                start = number * PIECE
                if isinstance(content, Seekable) and pieces is not None:
                    if number not in pieces:
                        continue
                    content.seek(start)
                if not _has_digest(take(content, min(PIECE, size - start)), fingerprint[number * HEX :][:HEX]):
                    return "other"
            goes_on = source.size > size if isinstance(content, Seekable) else bool(content.read(1))
            return "longer" if goes_on else "same"
    except (OSError, EOFError, pa.ArrowException) as error:
        raise unreadable(source, error) from error


def unreadable(source: SourceFile, error: Exception) -> SourceError:
    """The problem of a file that cannot be read to its end."""
    packed = "" if source.compression == "none" else f" as {source.compression}, which it begins like"
    return SourceError(source.name, f"cannot be read to its end{packed} ({error}). Send the complete file again.")
