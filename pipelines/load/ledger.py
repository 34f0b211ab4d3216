"""The ledger `raw.files` records how far each file has been read. From it, `plan` derives what must be read now.

A file is recognised by its content: if it begins with everything that was read of a content, reading continues from
there. Name and inode only say which contents to compare first. A file whose inode, size and times are unchanged is not
compared, nor is an object with the same ETag and size.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.compression import Compression
from pipelines.errors import SourceError
from pipelines.load.content import PIECE, Match, compare
from pipelines.load.finding import FoundFiles
from pipelines.load.lines import Cursor, LineReader
from pipelines.load.objects import KnownObjects, vanished
from pipelines.load.sources import SourceFile, look_at
from pipelines.object_paths import object_path

CLOCK_SLACK_NS = 2_000_000_000
"""Clocks are coarse: a file changed less than this before it was read may have changed again with the same time."""
SAMPLES = 8
"""How many random pieces of a file that has grown are compared."""
COUNT_LINES = (Path(__file__).parent / "count_lines.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `raw.files`: a content, and the file that has it."""

    file_id: int
    source_file: str
    is_superseded: bool
    device: int | None
    inode: int | None
    etag: str
    disk_bytes: int
    modified_ns: int
    changed_ns: int
    read_ns: int
    compression: Compression
    next_offset: int
    next_line: int
    open_line_bytes: int
    pending_bytes: int
    fingerprint: str
    lines: int
    blank_lines: int
    first_load_id: int
    last_load_id: int

    @property
    def loaded_bytes(self) -> int:
        """How many bytes of the content have been loaded."""
        return self.next_offset + self.open_line_bytes


COLUMNS = tuple(field.name for field in fields(Entry))


@dataclass(slots=True)
class Task:
    """A file to read: from where `entry` ends, or from its start if there is no entry."""

    reader: LineReader
    entry: Entry | None = None


@dataclass(slots=True)
class Plan:
    """What a load has to do.

    `tasks`: files to read. `unchanged`: entries whose file has nothing new. `touched`: new versions of unchanged
    entries whose file has another name or time now. `superseded`: entries whose file has another content now.
    `missing`: entries whose file no longer exists.
    """

    tasks: list[Task] = field(default_factory=list)
    unchanged: list[Entry] = field(default_factory=list)
    touched: list[Entry] = field(default_factory=list)
    superseded: list[Entry] = field(default_factory=list)
    missing: list[Entry] = field(default_factory=list)
    problems: list[SourceError] = field(default_factory=list)


def current_entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The entries of all contents that a file had when it was last read."""
    query = f"select {', '.join(COLUMNS)} from raw.files where not is_superseded order by file_id"  # noqa: S608
    return [Entry(*row) for row in connection.execute(query).fetchall()]


def known_objects(entries: Iterable[Entry]) -> KnownObjects:
    """The compression of each object that has been read. Objects with the same ETag and size need not be read again."""
    return {(entry.source_file, entry.etag, entry.disk_bytes): entry.compression for entry in entries if entry.etag}


def write_entries(connection: duckdb.DuckDBPyConnection, entries: Iterable[Entry]) -> None:
    """Insert the entries, replacing those with the same ids."""
    rows = [asdict(entry) for entry in entries]
    if not rows:
        return
    connection.register("ledger_rows", pa.Table.from_pylist(rows))
    connection.execute("delete from raw.files where file_id in (select file_id from ledger_rows)")
    connection.execute("insert into raw.files by name select * from ledger_rows")
    connection.unregister("ledger_rows")


def count_lines(connection: duckdb.DuckDBPyConnection, file_ids: list[int]) -> None:
    """Update the numbers of lines in the entries of these files."""
    connection.execute(COUNT_LINES, {"file_ids": file_ids})


def plan(found: FoundFiles, entries: list[Entry], next_file_id: int, read_ns: int) -> Plan:
    """Plan a load: read the rest of files that begin with a known content, and the whole of all others."""
    todo = Plan(problems=found.problems + found.empty_paths)
    known, readable = _recognised(found.sources, entries, todo.problems)
    for source in readable:
        entry, match = known.get(source, (None, "other"))
        if entry is None:
            todo.tasks.append(Task(LineReader(source, next_file_id)))
            next_file_id += 1
        elif match == "longer" or (entry.pending_bytes and not _is_as_read(source, entry)):
            cursor = Cursor(entry.next_offset, entry.next_line)
            todo.tasks.append(Task(LineReader(source, entry.file_id, cursor, entry.fingerprint), entry))
        else:
            todo.unchanged.append(entry)
            if not _is_as_read(source, entry) or _name(source, entry) != entry.source_file:
                todo.touched.append(replace(entry, **_file_columns(source, entry), read_ns=read_ns))
    recognised = {entry.file_id for entry, _ in known.values()}
    others = [entry for entry in entries if entry.file_id not in recognised]
    _classify([entry for entry in others if not object_path(entry.source_file)], readable, todo)
    _classify_objects([entry for entry in others if object_path(entry.source_file)], readable, found, todo)
    return todo


def _recognised(
    sources: list[SourceFile], entries: list[Entry], problems: list[SourceError]
) -> tuple[dict[SourceFile, tuple[Entry, Match]], list[SourceFile]]:
    """The longest known content that each file begins with, if any; and the files that can be read."""
    known: dict[SourceFile, tuple[Entry, Match]] = {}
    unreadable: set[SourceFile] = set()
    claimed: set[int] = set()
    for source, entry in _pairs(sources, entries):
        if source in known or source in unreadable or entry.file_id in claimed:
            continue
        try:
            match = _compare(source, entry)
        except SourceError as problem:
            problems.append(problem)
            unreadable.add(source)
            continue
        if match != "other":
            known[source] = entry, match
            claimed.add(entry.file_id)
    return known, [source for source in sources if source not in unreadable]


def _pairs(sources: list[SourceFile], entries: list[Entry]) -> list[tuple[SourceFile, Entry]]:
    """Pairs of a file and an entry with its inode or its name, in the order to compare them.

    Pairs that cannot have changed come first, then longer contents. Objects are paired by name only.
    """
    by_clue: defaultdict[object, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.inode is not None:
            by_clue[entry.device, entry.inode].append(entry)
        by_clue[entry.source_file].append(entry)
    pairs = [
        (source, entry)
        for source in sources
        for clue in ((source.device, source.inode), source.name)
        for entry in by_clue.get(clue, ())
    ]
    return sorted(pairs, key=lambda pair: (_is_as_read(*pair), pair[1].loaded_bytes), reverse=True)


def _classify(entries: list[Entry], readable: list[SourceFile], todo: Plan) -> None:
    """Sort entries without a file into superseded and missing, unless a file outside the paths of this load has one."""
    names = {source.name for source in readable}
    inodes = {(source.device, source.inode) for source in readable}
    for entry in entries:
        try:
            source = look_at(Path(entry.source_file))
            is_other = (source.device, source.inode) in inodes or _compare(source, entry) == "other"
        except (OSError, SourceError):
            (todo.superseded if entry.source_file in names else todo.missing).append(entry)
        else:
            if is_other:
                todo.superseded.append(entry)


def _classify_objects(entries: list[Entry], readable: list[SourceFile], found: FoundFiles, todo: Plan) -> None:
    """The same for objects. Looking for missing ones costs requests, so it is only done if there are lines to read.

    The store is only asked about objects outside the listed folders.
    """
    names = {source.name for source in readable}
    todo.superseded += [entry for entry in entries if entry.source_file in names]
    if todo.tasks:
        others = [entry for entry in entries if entry.source_file not in names]
        not_listed = {entry.source_file for entry in others} - found.objects
        missing = {address for address in not_listed if address.startswith(tuple(found.scopes))}
        missing |= vanished(not_listed - missing)
        todo.missing += [entry for entry in others if entry.source_file in missing]


def _compare(source: SourceFile, entry: Entry) -> Match:
    """Compare a file with a content in full. If the file has only grown, which is frequent, compare samples."""
    if _is_as_read(source, entry):
        return "same"
    pieces = None
    is_same_inode = source.inode is not None and (source.device, source.inode) == (entry.device, entry.inode)
    if is_same_inode and source.size > entry.disk_bytes:
        count = -(-entry.loaded_bytes // PIECE)
        pieces = {0, count - 2, count - 1, *random.sample(range(count), min(count, SAMPLES))}
    return compare(source, entry.fingerprint, entry.loaded_bytes, pieces)


def _is_as_read(source: SourceFile, entry: Entry) -> bool:
    """Whether the file cannot have changed since it was read, by its identity, size and times or by its ETag."""
    if source.etag:
        return (source.name, source.etag, source.size) == (entry.source_file, entry.etag, entry.disk_bytes)
    return (
        (source.device, source.inode, source.size) == (entry.device, entry.inode, entry.disk_bytes)
        and (source.modified_ns, source.changed_ns) == (entry.modified_ns, entry.changed_ns)
        and max(source.modified_ns, source.changed_ns) + CLOCK_SLACK_NS < entry.read_ns
    )


def entry_after(task: Task, load_id: int, read_ns: int) -> Entry:
    """The new entry of a file that has been read. `count_lines` fills in its lines later."""
    source, cursor, before = task.reader.source, task.reader.cursor, task.entry
    return Entry(
        file_id=task.reader.file_id,
        is_superseded=False,
        read_ns=read_ns,
        next_offset=cursor.offset,
        next_line=cursor.line,
        open_line_bytes=cursor.open_line_bytes,
        pending_bytes=cursor.pending_bytes,
        fingerprint=task.reader.fingerprint,
        lines=0,
        blank_lines=0,
        first_load_id=before.first_load_id if before else load_id,
        last_load_id=load_id,
        **_file_columns(source, before),
    )


def _file_columns(source: SourceFile, before: Entry | None) -> dict[str, Any]:
    """The columns of an entry that describe its file."""
    return {
        "source_file": _name(source, before) if before else source.name,
        "device": source.device,
        "inode": source.inode,
        "etag": source.etag,
        "disk_bytes": source.size,
        "modified_ns": source.modified_ns,
        "changed_ns": source.changed_ns,
        "compression": source.compression,
    }


def _name(source: SourceFile, entry: Entry) -> str:
    """The name in the entry if the file still has it (a hard link has several names), else the name it was found by."""
    if source.inode is None:
        return source.name
    try:
        status = Path(entry.source_file).stat()
    except OSError:
        return source.name
    return entry.source_file if (status.st_dev, status.st_ino) == (source.device, source.inode) else source.name
