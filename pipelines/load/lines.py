"""A file's content as Arrow batches of physical lines, cut at newlines without looking inside."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.judge import is_document
from pipelines.load.sources import SourceFile

BLOCK = 2 << 20
SAMPLE = 64 << 10
SAMPLES = 16
NEWLINE = 0x0A
LONGEST = 128 << 20
"""A line of more bytes is no webhook, and a file without newlines must not fill the memory."""

SCHEMA = pa.schema([("file_id", pa.int32()), ("line_number", pa.int64()), ("raw", pa.large_binary())])


@dataclass(slots=True)
class Cursor:
    """How far a file has been read: the offset (bytes of content) and number of the next line to read.

    `open_line_bytes`: length of that line if it has been taken though its newline is not there yet, else 0.
    `pending_bytes`: length of an unfinished last line that was not taken.
    """

    offset: int = 0
    line: int = 1
    open_line_bytes: int = 0
    pending_bytes: int = 0

    @property
    def lines(self) -> int:
        """How many lines of the file have been taken."""
        return self.line - 1 + (self.open_line_bytes > 0)

    @property
    def end(self) -> int:
        """How many bytes of the content have been taken."""
        return self.offset + self.open_line_bytes


@dataclass(slots=True)
class LineReader:
    """Reads a file from a cursor to the size it had when the load started, and moves the cursor along.

    `fingerprint` is in the end that of all content taken so far.
    """

    source: SourceFile
    file_id: int
    cursor: Cursor = field(default_factory=Cursor)
    fingerprint: str = ""
    advance: Callable[[int], object] = lambda _: None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """One batch a block, one row a physical line with its newline.

        Raises:
            SourceError: the file cannot be read to its end.
        """
        try:
            with open_content(self.source) as content:
                skip(content, self.cursor.offset)
                yield from self._cut(content)
            self.fingerprint = fingerprint(self.source, self.cursor.end)
        except (OSError, EOFError, pa.ArrowException) as error:
            raise _unreadable(self.source, error) from error

    def _cut(self, content: "_Plain | _Compressed") -> Iterator[pa.RecordBatch]:
        rest, size = b"", BLOCK
        while block := content.read(size):
            self.advance(content.tell())
            data = rest + block
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == NEWLINE) + 1
            offsets = np.concatenate(([0], ends)).astype(np.int64)
            self._refuse_too_long(np.append(offsets, len(data)))
            if not len(ends):
                rest, size = data, size * 2
                continue
            yield self._batch(data, offsets)
            rest, size = data[offsets[-1] :], BLOCK
        if is_document(rest):
            stay = Cursor(self.cursor.offset, self.cursor.line, open_line_bytes=len(rest))
            yield self._batch(rest, np.array([0, len(rest)], np.int64))
            self.cursor = stay
        else:
            self.cursor.pending_bytes = len(rest)

    def _refuse_too_long(self, offsets: np.ndarray) -> None:
        if offsets[-1] > LONGEST and len(too_long := np.flatnonzero(np.diff(offsets) > LONGEST)):
            problem = f"line {self.cursor.line + too_long[0]} has more than {LONGEST >> 20} MiB, so it is no webhook. "
            raise SourceError(self.source.name, f"{problem}Remove that line, or the file.")

    def _batch(self, data: bytes, offsets: np.ndarray) -> pa.RecordBatch:
        lines = len(offsets) - 1
        first = self.cursor.line
        self.cursor.line += lines
        self.cursor.offset += int(offsets[-1])
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        columns = [
            pa.array(np.full(lines, self.file_id, np.int32)),
            pa.array(np.arange(first, first + lines, dtype=np.int64)),
            pa.LargeBinaryArray.from_buffers(pa.large_binary(), lines, buffers),
        ]
        return pa.record_batch(columns, schema=SCHEMA)


class _Plain(io.RawIOBase):
    """A plain file that ends where it ended when the load started, else a load would chase its writer."""

    def __init__(self, source: SourceFile) -> None:
        self._file = source.path.open("rb", buffering=0)
        self._end = source.size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(max(0, min(size, self._end - self._file.tell())))

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

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

    def tell(self) -> int:
        """Bytes of the compressed file read so far."""
        return self._file.tell()

    def close(self) -> None:
        self._stream.close()
        self._file.close()
        super().close()


def open_content(source: SourceFile) -> _Plain | _Compressed:
    """The file's content, decompressed where it is compressed."""
    return _Plain(source) if source.compression == "none" else _Compressed(source)


def skip(content: _Plain | _Compressed, offset: int) -> None:
    """Go to an offset in bytes of content."""
    if isinstance(content, _Plain):
        content.seek(offset)
        return
    while offset > 0 and (data := content.read(min(offset, BLOCK))):
        offset -= len(data)


def fingerprint(source: SourceFile, end: int) -> str:
    """A digest of the content before `end`, or of what there is of it: the same if that content is still the same.

    Of a plain file, its start, its end and places between are sampled, so that the cost does not grow with the
    file; a compressed one has to be read through anyway.

    Raises:
        SourceError: the file cannot be read that far.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_content(source) as content:
            if isinstance(content, _Plain) and end > SAMPLE * SAMPLES:
                for start in np.linspace(0, end - SAMPLE, SAMPLES, dtype=np.int64):
                    content.seek(int(start))
                    digest.update(content.read(SAMPLE))
            else:
                left = end
                while left > 0 and (data := content.read(min(left, BLOCK))):
                    left -= len(data)
                    digest.update(data)
    except (OSError, EOFError, pa.ArrowException) as error:
        raise _unreadable(source, error) from error
    return digest.hexdigest()


def _unreadable(source: SourceFile, error: Exception) -> SourceError:
    packed = "" if source.compression == "none" else f" as {source.compression}, which it begins like"
    return SourceError(source.name, f"cannot be read to its end{packed} ({error}). Send it again whole.")
