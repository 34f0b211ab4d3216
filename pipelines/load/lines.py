"""Read a file as Arrow batches of physical lines, cut at newlines without parsing them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.buckets import REWRITTEN
from pipelines.load.content import (
    HEX,
    PIECE,
    Content,
    Fingerprint,
    open_content,
    read_up_to,
    skip,
    unreadable,
)
from pipelines.load.judge import is_document
from pipelines.load.sources import SourceFile
from pipelines.object_paths import ObjectPath

BLOCK = 2 << 20
NEWLINE = 0x0A
LONGEST = 128 << 20
"""Longer lines are refused: they are not webhooks, and a file without newlines would fill the memory."""

SCHEMA = pa.schema([("file_id", pa.int32()), ("line_number", pa.int64()), ("raw", pa.large_binary())])


@dataclass(slots=True)
class Cursor:
    """How far a file has been read: the offset (in bytes of decompressed content) and number of the next line.

    `open_line_bytes`: length of that line if it has been loaded before it had a newline, else 0.
    `pending_bytes`: length of a partial last line that was not loaded.
    """

    offset: int = 0
    line: int = 1
    open_line_bytes: int = 0
    pending_bytes: int = 0

    @property
    def lines(self) -> int:
        """How many lines of the file have been loaded."""
        return self.line - 1 + (self.open_line_bytes > 0)


@dataclass(slots=True)
class LineReader:
    """Reads a file from a cursor to the size it had when the load started, and moves the cursor.

    `fingerprint`: that of the content up to the cursor; updated after reading. `advance`: called with the bytes read so
    far. `opened`: the content, if it is being fetched ahead.
    """

    source: SourceFile
    file_id: int
    cursor: Cursor = field(default_factory=Cursor)
    fingerprint: str = ""
    advance: Callable[[int], object] = lambda _: None
    opened: Content | None = None

    def fetch_ahead(self) -> None:
        """Start to fetch the first bytes of an object, unless this was done. For a file on disk this does nothing."""
        if isinstance(self.source.path, ObjectPath) and not self.opened:
            with suppress(SourceError):  # `batches` raises it again
                self.opened = open_content(self.source, self.cursor.offset // PIECE * PIECE)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of `SCHEMA`: one per block of the file, with a row for each physical line including its newline.

        Raises:
            SourceError: the file cannot be read to its end, or was rewritten while it was being read.
        """
        whole, partial = divmod(self.cursor.offset, PIECE)
        fingerprint = Fingerprint(self.fingerprint[: whole * HEX])
        try:
            with self.opened or open_content(self.source, whole * PIECE) as content:
                self.opened = None
                skip(content, whole * PIECE)
                fingerprint.add(read_up_to(content, partial))
                yield from self._cut(content, fingerprint)
                if content.is_rewritten():
                    raise SourceError(self.source.name, REWRITTEN)
        except (OSError, EOFError, pa.ArrowException) as error:
            raise unreadable(self.source, error) from error
        self.fingerprint = fingerprint.text()

    def _cut(self, content: Content, fingerprint: Fingerprint) -> Iterator[pa.RecordBatch]:
        rest, size = memoryview(b""), BLOCK
        while True:
            buffer = pa.allocate_buffer(len(rest) + size)  # Arrow's pool reuses freed memory
            data = memoryview(buffer).cast("B")
            data[: len(rest)] = rest
            if not (read := content.readinto(data[len(rest) :])):
                break
            self.advance(content.tell())
            data = data[: len(rest) + read]
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == NEWLINE) + 1
            offsets = np.concatenate(([0], ends)).astype(np.int64)
            self._refuse_too_long(np.append(offsets, len(data)))
            if not len(ends):
                rest, size = data, size * 2
                continue
            fingerprint.add(memoryview(data)[: offsets[-1]])
            yield self._batch(buffer, offsets)
            rest, size = data[offsets[-1] :], BLOCK
        if is_document(bytes(rest)):
            before_line = Cursor(self.cursor.offset, self.cursor.line, open_line_bytes=len(rest))
            fingerprint.add(rest)
            yield self._batch(pa.py_buffer(bytes(rest)), np.array([0, len(rest)], np.int64))
            self.cursor = before_line
        else:
            self.cursor.pending_bytes = len(rest)

    def _refuse_too_long(self, offsets: np.ndarray) -> None:
        if offsets[-1] > LONGEST and len(too_long := np.flatnonzero(np.diff(offsets) > LONGEST)):
            problem = (
                f"line {self.cursor.line + too_long[0]} has more than {LONGEST >> 20} MiB, so it is not a webhook. "
            )
            raise SourceError(self.source.name, f"{problem}Remove that line, or the file.")

    def _batch(self, data: pa.Buffer, offsets: np.ndarray) -> pa.RecordBatch:
        lines = len(offsets) - 1
        first = self.cursor.line
        self.cursor.line += lines
        self.cursor.offset += int(offsets[-1])
        buffers = [None, pa.py_buffer(offsets), data]
        columns = [
            pa.array(np.full(lines, self.file_id, np.int32)),
            pa.array(np.arange(first, first + lines, dtype=np.int64)),
            pa.LargeBinaryArray.from_buffers(pa.large_binary(), lines, buffers),
        ]
        return pa.record_batch(columns, schema=SCHEMA)
