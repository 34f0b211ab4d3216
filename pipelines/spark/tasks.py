"""What runs in the tasks of Spark: the project's own line reader and judge, over one file or a part of one.

`cut` goes over files and says where they can be cut; `judge_parts` judges the lines of each part. Both take the number of
what they work on from Spark, and the rest from their arguments.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.lines import Cursor, LineReader
from pipelines.load.parsing import Judging, judging, kept_rows
from pipelines.load.shapes import Shape
from pipelines.load.sources import SourceFile
from pipelines.load.withhold import Forgotten
from pipelines.warehouse import ON_EVERY_CONNECTION

PART = 64 << 20
"""How many bytes of a plain file one task judges. A compressed file can only be read from its start: it is one part."""
ROWS = 50_000
ANSWER = pa.schema([("answer", pa.binary())])
KEPT = pa.schema(
    [
        ("file_id", pa.int32()),
        ("line_number", pa.int64()),
        ("load_id", pa.int32()),
        ("loaded_at", pa.timestamp("us", "UTC")),
        *((name, pa.string()) for name in ("reason", "event_type", "participant_id", "person_id", "study_id")),
        *((name, pa.string()) for name in ("status", "prior_status")),
        ("updated_at", pa.timestamp("us", "UTC")),
        ("svix_id", pa.string()),
        ("received_at", pa.timestamp("us", "UTC")),
        ("line", pa.string()),
        ("line_bytes", pa.binary()),
        ("position", pa.int32()),
        ("shape", pa.string()),
        ("part_id", pa.int32()),
        ("is_withheld", pa.bool_()),
    ]
)
"""Rows of raw.deliveries, of which some are withheld. Line 0 is none: there, `reason` says why the file cannot be used."""

Task = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A file, where in it to begin, and the number of the folder that its lines go to."""

    source: SourceFile
    file_id: int
    cursor: Cursor
    fingerprint: str
    part_id: int

    def reader(self) -> LineReader:
        """What cuts it into lines."""
        return LineReader(self.source, self.file_id, replace(self.cursor), self.fingerprint)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the reader of a file was at its end, the fingerprint of all that was taken, and where parts can begin."""

    cursor: Cursor
    fingerprint: str
    starts: tuple[Cursor, ...]


@dataclass(frozen=True, slots=True)
class OneLoad:
    """What all tasks of a load judge lines by and mark them with."""

    load_id: int
    loaded_at: datetime
    statuses: list[str]
    shapes: Sequence[Shape]
    everyone_forgotten: Forgotten | None


def cut(files: Sequence[FileToRead], part_bytes: int) -> Task:
    """A task that answers with the number of a file and its `Cut`, or why it cannot be read."""

    def task(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for number in _numbers(numbers):
            try:
                answer: Cut | str = _cut(files[number], part_bytes)
            except SourceError as error:
                answer = error.problem
            yield pa.record_batch([pa.array([pickle.dumps((number, answer))], pa.binary())], schema=ANSWER)

    return task


def _cut(file: FileToRead, part_bytes: int) -> Cut:
    reader = file.reader()
    starts = [replace(reader.cursor)]
    for _ in reader.batches():
        if file.source.compression == "none" and reader.cursor.offset >= starts[-1].offset + part_bytes:
            starts.append(replace(reader.cursor))
    return Cut(reader.cursor, reader.fingerprint, tuple(starts))


def parts_of(file: FileToRead, found: Cut) -> list[FileToRead]:
    """The file in parts, each from one start to the next."""
    ends = [start.offset for start in found.starts[1:]]
    return [
        replace(file, source=replace(file.source, size=end), cursor=start, fingerprint="")
        for start, end in zip(found.starts, [*ends, file.source.size], strict=True)
    ]


def judge_parts(parts: Sequence[FileToRead], load: OneLoad) -> Task:
    """A task that gives the lines of parts as rows of `KEPT`."""

    def task(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"}) as connection:
            connection.execute(ON_EVERY_CONNECTION)
            with judging(connection, load.shapes, load.everyone_forgotten) as judges:
                for number in _numbers(numbers):
                    yield from _judged(judges, parts[number], load)

    return task


def _judged(judges: Judging, part: FileToRead, load: OneLoad) -> Iterator[pa.RecordBatch]:
    problems: list[str] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from part.reader().batches()
        except SourceError as error:
            problems.append(error.problem)

    same = {"load_id": load.load_id, "loaded_at": load.loaded_at, "part_id": part.part_id}
    for view in kept_rows(judges, batches(), load.statuses, load.everyone_forgotten):
        for rows in judges.connection.sql(f"from {view}").to_arrow_reader(ROWS):
            columns = [
                pa.array([same[column.name]] * len(rows), column.type)
                if column.name in same
                else rows[column.name].cast(column.type)
                for column in KEPT
            ]
            yield pa.record_batch(columns, schema=KEPT)
    for problem in problems:
        row = {
            "file_id": part.file_id,
            "line_number": 0,
            "position": 0,
            "reason": problem,
            "is_withheld": False,
            **same,
        }
        yield pa.RecordBatch.from_pylist([row], schema=KEPT)


def _numbers(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    for batch in batches:
        yield from batch.column(0).to_pylist()
