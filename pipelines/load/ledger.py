"""What has been read of which file: the ledger `raw.files`, and what it says must be read now."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.lines import Cursor, LineReader, fingerprint
from pipelines.load.sources import SourceFile

RACY_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `raw.files`: one content of one file."""

    file_id: int
    source_file: str
    is_superseded: bool
    device: int
    inode: int
    disk_bytes: int
    modified_ns: int
    read_ns: int
    compression: str
    next_offset: int
    next_line: int
    open_line_bytes: int
    pending_bytes: int
    fingerprint: str
    lines: int
    blank_lines: int
    first_load_id: int
    last_load_id: int


COLUMNS = tuple(field.name for field in fields(Entry))


@dataclass(slots=True)
class Task:
    """A file to read: on from where `entry` ends, or from its start. What `replaces` says is no longer in it."""

    reader: LineReader
    entry: Entry | None = None
    replaces: Entry | None = None


@dataclass(slots=True)
class Plan:
    """What a load has to do. `touched` are rows whose file only has another name or date now."""

    tasks: list[Task]
    touched: list[Entry]
    problems: list[SourceError]


def current_entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The rows of the contents that files had when last read, the last read last."""
    return _entries(connection, "not is_superseded")


def superseded_entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The rows of contents that files no longer have, of which lines are still loaded."""
    return _entries(connection, "is_superseded and lines > 0")


def _entries(connection: duckdb.DuckDBPyConnection, which: str) -> list[Entry]:
    query = f"select {', '.join(COLUMNS)} from raw.files where {which} order by read_ns, file_id"  # noqa: S608
    return [Entry(*row) for row in connection.execute(query).fetchall()]


def write_entries(connection: duckdb.DuckDBPyConnection, entries: Iterable[Entry]) -> None:
    """Put the rows in place of those with the same ids."""
    rows = [asdict(entry) for entry in entries]
    if not rows:
        return
    connection.register("ledger_rows", pa.Table.from_pylist(rows))
    connection.execute("delete from raw.files where file_id in (select file_id from ledger_rows)")
    connection.execute("insert into raw.files by name select * from ledger_rows")
    connection.unregister("ledger_rows")


def plan(sources: list[SourceFile], entries: list[Entry], next_file_id: int, read_ns: int) -> Plan:
    """What to read: the tail of grown files, the whole of new and rewritten ones.

    A file is one that the ledger knows if it starts with the known content: by its inode first (it may have been
    renamed, as log rotation does), else by its name. Size and time only tell that nothing can have changed. The
    inode of a deleted file is soon given to another: of entries with the same one, only the last read can hold, and
    one without content says nothing.
    """
    by_name = {entry.source_file: entry for entry in entries}
    made = Plan([], [], [])
    known = _by_inode(sources, entries, made.problems)
    claimed = {entry.file_id for entry in known.values() if entry}
    for source in sources:
        if source not in known:
            continue
        entry, named = known[source], by_name.get(source.name)
        if named and named.file_id in claimed:
            named = None
        try:
            if entry is None and named and _continues(source, named):
                entry, named = named, None
        except SourceError as problem:
            made.problems.append(problem)
            continue
        if entry is None:
            made.tasks.append(Task(LineReader(source, next_file_id), replaces=named))
            next_file_id += 1
        elif named or not _has_nothing_new(source, entry):
            cursor = Cursor(entry.next_offset, entry.next_line)
            made.tasks.append(Task(LineReader(source, entry.file_id, cursor), entry=entry, replaces=named))
        elif not _is_as_read(source, entry) or _name(source, entry) != entry.source_file:
            made.touched.append(_touched(source, entry, read_ns))
    return made


def _by_inode(
    sources: list[SourceFile], entries: list[Entry], problems: list[SourceError]
) -> dict[SourceFile, Entry | None]:
    """What the ledger has of each file that can be read, known by its inode."""
    by_inode = {(entry.device, entry.inode): entry for entry in entries}
    known: dict[SourceFile, Entry | None] = {}
    for source in sources:
        entry = by_inode.get((source.device, source.inode))
        try:
            is_same = entry and (_is_as_read(source, entry) or (_taken(entry) and _continues(source, entry)))
        except SourceError as problem:
            problems.append(problem)
        else:
            known[source] = entry if is_same else None
    return known


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of a file: of its new lines those that were kept and those that were withheld, and all withheld."""

    kept: int
    withheld: int
    all_withheld: int


def entry_after(task: Task, load_id: int, read_ns: int, counted: Counted) -> Entry:
    """The row of a file that has been read. Lines that are withheld, of people who were forgotten, are not in it."""
    source, cursor, before = task.reader.source, task.reader.cursor, task.entry
    lines_before = before.next_line - 1 if before else 0
    return Entry(
        file_id=task.reader.file_id,
        source_file=_name(source, before) if before else source.name,
        is_superseded=False,
        device=source.device,
        inode=source.inode,
        disk_bytes=source.size,
        modified_ns=source.modified_ns,
        read_ns=read_ns,
        compression=source.compression,
        next_offset=cursor.offset,
        next_line=cursor.line,
        open_line_bytes=cursor.open_line_bytes,
        pending_bytes=cursor.pending_bytes,
        fingerprint=task.reader.fingerprint,
        lines=cursor.lines - counted.all_withheld,
        blank_lines=(before.blank_lines if before else 0)
        + cursor.lines
        - lines_before
        - counted.kept
        - counted.withheld,
        first_load_id=before.first_load_id if before else load_id,
        last_load_id=load_id,
    )


def _is_as_read(source: SourceFile, entry: Entry) -> bool:
    """Nothing can have changed. A file written within two seconds of being read is doubted: clocks are coarse."""
    return (
        (source.device, source.inode) == (entry.device, entry.inode)
        and source.size == entry.disk_bytes
        and source.modified_ns == entry.modified_ns
        and source.modified_ns + RACY_NS < entry.read_ns
    )


def _continues(source: SourceFile, entry: Entry) -> bool:
    return source.compression == entry.compression and fingerprint(source, _taken(entry)) == entry.fingerprint


def _taken(entry: Entry) -> int:
    """How many bytes of the content have been taken."""
    return entry.next_offset + entry.open_line_bytes


def _has_nothing_new(source: SourceFile, entry: Entry) -> bool:
    """Whether a file that starts with the content of the entry has no more than that."""
    return _is_as_read(source, entry) or (source.size == entry.disk_bytes and not entry.pending_bytes)


def _touched(source: SourceFile, entry: Entry, read_ns: int) -> Entry:
    """The row of a file that has the same content at another place or date."""
    return replace(
        entry,
        source_file=_name(source, entry),
        device=source.device,
        inode=source.inode,
        modified_ns=source.modified_ns,
        read_ns=read_ns,
    )


def _name(source: SourceFile, entry: Entry) -> str:
    """The name under which the file was read if it still has that one, too, else the name it was found by."""
    try:
        status = Path(entry.source_file).stat()
    except OSError:
        return source.name
    return entry.source_file if (status.st_dev, status.st_ino) == (source.device, source.inode) else source.name
