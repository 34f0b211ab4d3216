"""What a file holds, decompressed where it is compressed, and the fingerprint that content is known by."""

import hashlib
import io
import os
from collections.abc import Container
from typing import Literal

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.sources import SourceFile

PIECE = 1 << 20
"""A fingerprint has one digest for each piece of so many bytes, and one for the rest."""
DIGEST = 16
HEX = 2 * DIGEST


class _Plain(io.RawIOBase):
    """A plain file that ends where it ended when the load started, else a load would chase its writer."""

    def __init__(self, source: SourceFile) -> None:
        self._file = source.path.open("rb", buffering=0)
        self._end = source.size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(self._most(size))

    def fill(self, room: memoryview) -> int:
        """Read into the room; how many bytes, none at the end."""
        return self._file.readinto(room[: self._most(len(room))])

    def _most(self, size: int) -> int:
        return max(0, min(size, self._end - self._file.tell()))

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()


class _Compressed(io.RawIOBase):
    """The content of a compressed file. Arrow's decoder, unlike DuckDB's, notices one that is cut off."""

    def __init__(self, source: SourceFile) -> None:
        self._file = _Plain(source)
        self._stream = pa.CompressedInputStream(self._file, source.compression)

    def read(self, size: int = -1, /) -> bytes:
        data: bytes = self._stream.read(size)
        return data

    def fill(self, room: memoryview) -> int:
        """Read into the room; how many bytes, none at the end."""
        size: int = self._stream.readinto(room)
        return size

    def tell(self) -> int:
        """Bytes of the compressed file read so far."""
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._stream.close()
        self._file.close()
        super().close()


Content = _Plain | _Compressed
Match = Literal["other", "same", "longer"]


def open_content(source: SourceFile) -> Content:
    """The file's content, decompressed where it is compressed."""
    return _Plain(source) if source.compression == "none" else _Compressed(source)


def skip(content: Content, offset: int) -> None:
    """Go from the start to an offset in bytes of content."""
    if isinstance(content, _Plain):
        content.seek(offset)
        return
    while offset > 0 and (data := content.read(min(offset, PIECE))):
        offset -= len(data)


def take(content: Content, size: int) -> bytes:
    """The next bytes: so many, or what is left."""
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
                if isinstance(content, _Plain) and pieces is not None:
                    if number not in pieces:
                        continue
                    content.seek(start)
                if not _has_digest(take(content, min(PIECE, size - start)), fingerprint[number * HEX :][:HEX]):
                    return "other"
            goes_on = source.size > size if isinstance(content, _Plain) else bool(content.read(1))
            return "longer" if goes_on else "same"
    except (OSError, EOFError, pa.ArrowException) as error:
        raise unreadable(source, error) from error


def unreadable(source: SourceFile, error: Exception) -> SourceError:
    """The problem of a file that cannot be read to its end."""
    packed = "" if source.compression == "none" else f" as {source.compression}, which it begins like"
    return SourceError(source.name, f"cannot be read to its end{packed} ({error}). Send the complete file again.")
