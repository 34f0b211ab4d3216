"""What has been read of which file: the ledger `raw.files`, and what it says must be read now.

A file is known by its content. One that begins with all that was taken of a content goes on from there. Name, inode,
size and times only say where to look first, and that nothing can have changed. For an object, its ETag and size say that.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.content import PIECE, Match, compare
from pipelines.load.lines import Cursor, LineReader
from pipelines.load.objects import KnownObjects, vanished
from pipelines.load.sources import SourceFile, look_at
from pipelines.object_paths import object_path

if TYPE_CHECKING:
    from pipelines.compression import Compression

CLOCK_SLACK_NS = 2_000_000_000
"""A file that was changed less than this before it was read may have been changed again unseen: clocks are coarse."""
SAMPLES = 8
COUNT_LINES = (Path(__file__).parent / "count_lines.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `raw.files`: one content, and the file that has it."""

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

    @property
    def taken(self) -> int:
        """How many bytes of the content have been taken."""
        return self.next_offset + self.open_line_bytes


COLUMNS = tuple(field.name for field in fields(Entry))


@dataclass(slots=True)
class Task:
    """A file to read: on from where `entry` ends, or from its start."""

    reader: LineReader
    entry: Entry | None = None


@dataclass(slots=True)
class Plan:
    """What a load has to do.

    `unchanged`: rows whose file has nothing new. `touched`: those of them whose file has another name or date now. `superseded`: contents whose file has another now.
    `gone`: contents of which no file is known any more.
    """

    tasks: list[Task] = field(default_factory=list)
    unchanged: list[Entry] = field(default_factory=list)
    touched: list[Entry] = field(default_factory=list)
    superseded: list[Entry] = field(default_factory=list)
    gone: list[Entry] = field(default_factory=list)
    problems: list[SourceError] = field(default_factory=list)


def current_entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The contents that files had when last read."""
    query = f"select {', '.join(COLUMNS)} from raw.files where not is_superseded order by file_id"  # noqa: S608
    return [Entry(*row) for row in connection.execute(query).fetchall()]


def known_objects(entries: Iterable[Entry]) -> KnownObjects:
    """The objects among the files, which need not be looked into while they are the same."""
    return {
        (entry.source_file, entry.etag, entry.disk_bytes): cast("Compression", entry.compression)
        for entry in entries
        if entry.etag
    }


def write_entries(connection: duckdb.DuckDBPyConnection, entries: Iterable[Entry]) -> None:
    """Put the rows in place of those with the same ids."""
    rows = [asdict(entry) for entry in entries]
    if not rows:
        return
    connection.register("ledger_rows", pa.Table.from_pylist(rows))
    connection.execute("delete from raw.files where file_id in (select file_id from ledger_rows)")
    connection.execute("insert into raw.files by name select * from ledger_rows")
    connection.unregister("ledger_rows")


def count_lines(connection: duckdb.DuckDBPyConnection, file_ids: list[int]) -> None:
    """Write into the rows of these files how many lines of them count."""
    connection.execute(COUNT_LINES, {"file_ids": file_ids})


Vanished = Callable[[Iterable[str]], set[str]]
"""Those of the addresses at which there is no object any more."""


def plan(
    sources: list[SourceFile], entries: list[Entry], next_file_id: int, read_ns: int, vanished: Vanished = vanished
) -> Plan:
    """What to read: the tail of files that begin with a known content, the whole of all others."""
    made = Plan()
    known, readable = _recognised(sources, entries, made.problems)
    for source in readable:
        entry, match = known.get(source, (None, "other"))
        if entry is None:
            made.tasks.append(Task(LineReader(source, next_file_id)))
            next_file_id += 1
        elif match == "longer" or (entry.pending_bytes and not _is_as_read(source, entry)):
            cursor = Cursor(entry.next_offset, entry.next_line)
            made.tasks.append(Task(LineReader(source, entry.file_id, cursor, entry.fingerprint), entry))
        else:
            made.unchanged.append(entry)
            if not _is_as_read(source, entry) or _name(source, entry) != entry.source_file:
                made.touched.append(replace(entry, **_place(source, entry), read_ns=read_ns))
    recognised = {entry.file_id for entry, _ in known.values()}
    others = [entry for entry in entries if entry.file_id not in recognised]
    _sort_out([entry for entry in others if not object_path(entry.source_file)], readable, made)
    _sort_out_objects([entry for entry in others if object_path(entry.source_file)], readable, made, vanished)
    return made


def _recognised(
    sources: list[SourceFile], entries: list[Entry], problems: list[SourceError]
) -> tuple[dict[SourceFile, tuple[Entry, Match]], list[SourceFile]]:
    """The content that each file goes on from, if any, and the files that can be read. Longer contents come first."""
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
    """Each file with the contents of its inode and of its name: first those that cannot have changed, then by length.

    An object has its name alone.
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
    return sorted(pairs, key=lambda pair: (_is_as_read(*pair), pair[1].taken), reverse=True)


def _sort_out(entries: list[Entry], readable: list[SourceFile], made: Plan) -> None:
    """Say of contents that no file was found to have what became of them. A file that was not asked for may hold one."""
    names = {source.name for source in readable}
    inodes = {(source.device, source.inode) for source in readable}
    for entry in entries:
        try:
            source = look_at(Path(entry.source_file))
            is_other = (source.device, source.inode) in inodes or _compare(source, entry) == "other"
        except (OSError, SourceError):
            (made.superseded if entry.source_file in names else made.gone).append(entry)
        else:
            if is_other:
                made.superseded.append(entry)


def _sort_out_objects(entries: list[Entry], readable: list[SourceFile], made: Plan, vanished: Vanished) -> None:
    """The same of contents of objects. That costs requests, so it is asked only if new lines may be those of what is gone."""
    names = {source.name for source in readable}
    made.superseded += [entry for entry in entries if entry.source_file in names]
    if made.tasks:
        others = [entry for entry in entries if entry.source_file not in names]
        gone = vanished(entry.source_file for entry in others)
        made.gone += [entry for entry in others if entry.source_file in gone]


def _compare(source: SourceFile, entry: Entry) -> Match:
    """All of the content is compared, but where the same file has only grown, which a run must not pay for: samples."""
    if _is_as_read(source, entry):
        return "same"
    pieces = None
    is_same_inode = source.inode is not None and (source.device, source.inode) == (entry.device, entry.inode)
    if is_same_inode and source.size > entry.disk_bytes:
        count = -(-entry.taken // PIECE)
        pieces = {0, count - 2, count - 1, *random.sample(range(count), min(count, SAMPLES))}
    return compare(source, entry.fingerprint, entry.taken, pieces)


def _is_as_read(source: SourceFile, entry: Entry) -> bool:
    """Nothing can have changed."""
    if source.etag:
        return (source.name, source.etag, source.size) == (entry.source_file, entry.etag, entry.disk_bytes)
    return (
        (source.device, source.inode, source.size) == (entry.device, entry.inode, entry.disk_bytes)
        and (source.modified_ns, source.changed_ns) == (entry.modified_ns, entry.changed_ns)
        and max(source.modified_ns, source.changed_ns) + CLOCK_SLACK_NS < entry.read_ns
    )


def entry_after(task: Task, load_id: int, read_ns: int) -> Entry:
    """The row of a file that has been read. Its lines are counted later."""
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
        **_place(source, before),
    )


def _place(source: SourceFile, before: Entry | None) -> dict[str, Any]:
    """The part of a row that says where its file is, and of what kind."""
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
    """The name under which the file was read if it still has that one, too, else the name it was found by."""
    if source.inode is None:
        return source.name
    try:
        status = Path(entry.source_file).stat()
    except OSError:
        return source.name
    return entry.source_file if (status.st_dev, status.st_ino) == (source.device, source.inode) else source.name
