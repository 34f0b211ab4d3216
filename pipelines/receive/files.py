"""The lines and files of the receiver: new files by day and size, with names that sort in the order of arrival."""

import errno
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from pipelines.load.judge import BYTE_ORDER_MARK, is_document, judge
from pipelines.system import sync

LOCK = ".studyflow-receive"
TEST_ID_PREFIX = "msg_studyflow_doctor_"
"""The prefix of the ids of test deliveries. These do not count as deliveries from Rally."""
_NAME = re.compile(r"webhooks-(\d{4}-\d{2}-\d{2})-(\d{6,})\.jsonl")
_TAIL = 4 << 20
_PERMISSIONS = 0o640
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_SPACED = b'": '
_flush: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Flushes a file's data and size to disk. Only some systems have `fdatasync`, which is faster."""


def envelope_line(svix_id: str, received_at: datetime, body: bytes) -> bytes:
    r"""The delivery in an envelope, with a newline: `{"svix_id":…,"received_at":…,"payload":…}\n`.

    A JSON document stays as it is, except that a byte-order mark is removed and line ends become spaces (JSON strings
    cannot contain them). Any other text becomes a JSON string.
    """
    document = body.removeprefix(BYTE_ORDER_MARK)
    payload = document.translate(_LINE_ENDS) if is_document(body) else orjson.dumps(body.decode())
    received = received_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()
    # The fast path of parse.sql needs the same spacing after colons and commas in envelope and payload.
    first = body.find(b'"', 1)
    colon, comma = (b": ", b", ") if body.startswith(_SPACED, body.find(b'"', first + 1)) else (b":", b",")
    return b"".join(
        (
            b'{"svix_id"', colon, orjson.dumps(svix_id), comma, b'"received_at"', colon, b'"', received, b'"',
            comma, b'"payload"', colon, payload, b"}\n",
        )
    )  # fmt: skip


class DeliveryFiles:
    """Appends lines to files in a folder. Each process starts new files and never appends to existing ones.

    `size`: after this many bytes, the next lines go into a new file.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size
        self._handle: int | None = None
        self._file = folder
        self._day: date | None = None
        self._written = 0

    def append(self, lines: Iterable[bytes]) -> None:
        """Append whole lines and flush them to disk.

        Raises:
            OSError: none of the lines counts as kept. The file is truncated to its previous size if possible, and the
                next lines go into a new file.
        """
        data = memoryview(b"".join(lines))
        today = datetime.now(UTC).date()
        if self._handle is not None and (self._day != today or self._written >= self._size):
            self.close()
        handle = self._begin(today) if self._handle is None else self._handle
        try:
            done = 0
            while done < len(data):
                done += os.write(handle, data[done:])
            _flush(handle)
            if not os.fstat(handle).st_nlink:
                raise FileNotFoundError(errno.ENOENT, "the file was deleted while it was written", str(self._file))
        except OSError:
            self._give_up()
            raise
        self._written += len(data)

    def close(self) -> None:
        """Close the current file, if any."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)

    def _begin(self, today: date) -> int:
        self._file = self.folder / _next_name(self.folder, today)
        self._handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, _PERMISSIONS)
        self._day, self._written = today, 0
        try:
            sync(self.folder)  # otherwise a crash could lose the file's entry in the folder
        except OSError:
            self._give_up()
            raise
        return self._handle

    def _give_up(self) -> None:
        """Take back unflushed lines if possible and close the file: after a failed write its content is unknown."""
        with suppress(OSError):
            if self._handle is not None:
                os.ftruncate(self._handle, self._written)
            if not self._written:
                self._file.unlink()
        with suppress(OSError):
            self.close()


def is_being_written(folder: Path) -> bool:
    """Whether a receiver is using the folder."""
    if not (folder / LOCK).exists():  # FileLock would create it, perhaps as a file that the receiver's user cannot open
        return False
    try:
        with FileLock(folder / LOCK, blocking=False):
            return False
    except (Timeout, OSError):
        return True


def delivery_files(folder: Path) -> list[Path]:
    """The files of the receiver in a folder, oldest first."""
    named = (path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return sorted(named, key=lambda path: (len(path.name), path.name))


def count_lines(folder: Path, day: date) -> int:
    """The number of lines in the files of a day."""
    files = [path for path in delivery_files(folder) if path.name.startswith(f"webhooks-{day}-")]
    return sum(path.read_bytes().count(b"\n") for path in files)


def last_received(folder: Path) -> datetime | None:
    """When the last delivery from Rally arrived, according to the files; None if there is none."""
    for path in reversed(delivery_files(folder)):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            for line in reversed(file.read().splitlines(keepends=True)):
                judgement = judge(line)[0]
                if (
                    line.endswith(b"\n")
                    and judgement.received_at
                    and not (judgement.svix_id or "").startswith(TEST_ID_PREFIX)
                ):
                    return judgement.received_at
    return None


def _next_name(folder: Path, day: date) -> str:
    """The file name with the next free number of the day. Compressed files count, too."""
    taken = [int(match[2]) for path in folder.iterdir() if (match := _NAME.match(path.name)) and match[1] == str(day)]
    return f"webhooks-{day}-{max(taken, default=0) + 1:06}.jsonl"
