"""Read the decompressed content of a file or object, and compute the fingerprint by which content is recognised."""

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
"""A fingerprint consists of a digest for each piece of this many bytes, and one for the rest."""
DIGEST = 16
HEX = 2 * DIGEST
BLOCK_OF_OBJECT = 8 << 20
"""How many bytes of an object are fetched in one request."""


class _PlainFile(io.FileIO):
    """An uncompressed file, up to its size when the load started. A load would otherwise chase a file that grows."""

    def __init__(self, source: SourceFile, path: Path) -> None:
        super().__init__(path)
        self._source = source

    def readinto(self, room: memoryview | bytearray, /) -> int:  # type: ignore[override]
        return super().readinto(memoryview(room)[: max(0, self._source.size - self.tell())])

    # By `readinto`. Those of FileIO would read on.
    read = io.RawIOBase.read  # type: ignore[assignment]
    readall = io.RawIOBase.readall

    def is_rewritten(self) -> bool:
        """Whether the file was changed in another way than by appending."""
        status = os.fstat(self.fileno())
        is_grown = status.st_size > self._source.size
        is_as_it_was = (status.st_size, status.st_mtime_ns) == (self._source.size, self._source.modified_ns)
        return not (is_grown or is_as_it_was)


class _ObjectFile(io.RawIOBase):
    """An object, read in blocks; the next block is fetched in the background. Fails if the object is rewritten."""

    def __init__(self, source: SourceFile, path: ObjectPath, start: int) -> None:
        self._fetch = partial(bucket_of(path).read, path.key, source.etag)
        self._end = source.size
        self._position = start
        self._block = memoryview(b"")
        self._ahead = self._fetch_from(start)

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview | bytearray, /) -> int:  # type: ignore[override]
        """Read at most the rest of the current block."""
        if not self._block and self._ahead:
            self._block = self._ahead.result()
            self._ahead = self._fetch_from(self._position + len(self._block))
        size = min(len(room), len(self._block))
        room[:size], self._block = self._block[:size], self._block[size:]
        self._position += size
        return size

    def _fetch_from(self, start: int) -> Future[memoryview] | None:
        end = min(start + BLOCK_OF_OBJECT, self._end)
        return _fetch_pool().submit(self._fetch, start, end) if start < end else None

    def seek(self, offset: int, _whence: int = os.SEEK_SET, /) -> int:
        if offset != self._position:
            self._position, self._block, self._ahead = offset, memoryview(b""), self._fetch_from(offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def is_rewritten(self) -> bool:
        """False: reading a rewritten object fails."""
        return False


@cache
def _fetch_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="objects")


class _CompressedFile(pa.CompressedInputStream):  # type: ignore[misc]
    """The content of a compressed file. Arrow's decoder, unlike DuckDB's, fails if the file is truncated."""

    def __init__(self, source: SourceFile) -> None:
        self._stored = _as_stored(source)
        super().__init__(self._stored, source.compression)  # closes it, too

    def tell(self) -> int:
        """Bytes of the compressed file read so far."""
        return self._stored.tell()

    def is_rewritten(self) -> bool:
        """Whether the file was changed in another way than by appending."""
        return self._stored.is_rewritten()


Seekable = _PlainFile | _ObjectFile
Content = Seekable | _CompressedFile
Match = Literal["other", "same", "longer"]


def open_content(source: SourceFile, start: int = 0) -> Content:
    """The file's content, decompressed if necessary.

    The first block of an object is fetched in the background: from `start` or, if it is compressed, from its beginning.
    """
    return _as_stored(source, start) if source.compression == "none" else _CompressedFile(source)


def _as_stored(source: SourceFile, start: int = 0) -> Seekable:
    path = source.path
    return _ObjectFile(source, path, start) if isinstance(path, ObjectPath) else _PlainFile(source, path)


def skip(content: Content, offset: int) -> None:
    """Move from the start of the content to an offset in bytes."""
    if isinstance(content, Seekable):
        content.seek(offset)
        return
    while offset > 0 and (data := content.read(min(offset, PIECE))):
        offset -= len(data)


def read_up_to(content: Content, size: int) -> bytes:
    """The next `size` bytes, or all that are left if there are fewer."""
    data = b""
    while len(data) < size and (more := content.read(size - len(data))):
        data += more
    return data


class Fingerprint:
    """The fingerprint of content that is added bit by bit: the digests of its pieces, as one text.

    `known`: the digests of whole pieces that come before.
    """

    def __init__(self, known: str = "") -> None:
        self._digests = [known]
        self._piece = hashlib.sha256()
        self._room = PIECE

    def add(self, data: bytes | memoryview) -> None:
        """Add the next bytes of the content."""
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
        """The fingerprint of all content added so far."""
        return "".join(self._digests) + (self._piece.hexdigest()[:HEX] if self._room < PIECE else "")


def _has_digest(data: bytes, digest: str) -> bool:
    """Whether a piece has this digest: the start of its SHA-256 or, from earlier versions, its BLAKE2b."""
    if hashlib.sha256(data).hexdigest()[:HEX] == digest:
        return True
    return hashlib.blake2b(data, digest_size=DIGEST).hexdigest() == digest


def compare(source: SourceFile, fingerprint: str, size: int, pieces: Container[int] | None = None) -> Match:
    """Whether the file is the content with this size and fingerprint, begins with it and is longer, or is another one.

    The whole content is read. With `pieces`, only the pieces with these numbers are read, unless the file is
    compressed.

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
                if not _has_digest(read_up_to(content, min(PIECE, size - start)), fingerprint[number * HEX :][:HEX]):
                    return "other"
            is_longer = source.size > size if isinstance(content, Seekable) else bool(content.read(1))
            return "longer" if is_longer else "same"
    except (OSError, EOFError, pa.ArrowException) as error:
        raise unreadable(source, error) from error


def unreadable(source: SourceFile, error: Exception) -> SourceError:
    """The error for a file that cannot be read to its end."""
    kind = "" if source.compression == "none" else f"begins like {source.compression}, but "
    return SourceError(source.name, f"{kind}cannot be read to its end ({error}). Send the complete file again.")
