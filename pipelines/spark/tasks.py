"""Code that runs in Spark tasks: the same line reader and judge as without Spark, for a file or a part of one.

`cut` reads files and finds where they can be split; `judge_parts` judges the lines of each part. Spark passes numbers
to a task, which are indexes into the arguments `files` or `parts`.
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
"""How many bytes a part of a file has. A compressed file can only be read from its start, so it is a single part."""
ROWS = 50_000
ANSWER = pa.schema([("answer", pa.binary())])
ROWS_SCHEMA = pa.schema(
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
"""Rows of raw.deliveries, some withheld. A row with line number 0 is an error: `reason` says why the file failed."""

Task = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A file, the cursor to start reading at, and the number of the part that its lines are written to."""

    source: SourceFile
    file_id: int
    cursor: Cursor
    fingerprint: str
    part_id: int

    def reader(self) -> LineReader:
        """A reader of its lines."""
        return LineReader(self.source, self.file_id, replace(self.cursor), self.fingerprint)


@dataclass(frozen=True, slots=True)
class Cut:
    """The result of reading a file to its end: the cursor there, the fingerprint, and cursors where parts can start."""

    cursor: Cursor
    fingerprint: str
    starts: tuple[Cursor, ...]


@dataclass(frozen=True, slots=True)
class LoadContext:
    """Values of a load that all its tasks share."""

    load_id: int
    loaded_at: datetime
    statuses: list[str]
    shapes: Sequence[Shape]
    everyone_forgotten: Forgotten | None


def cut(files: Sequence[FileToRead], part_bytes: int) -> Task:
    """A task that returns, for each number, the number and the `Cut` of its file, or why the file cannot be read."""

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
    """The file split into parts, each from one start to the next."""
    ends = [start.offset for start in found.starts[1:]]
    return [
        replace(file, source=replace(file.source, size=end), cursor=start, fingerprint="")
        for start, end in zip(found.starts, [*ends, file.source.size], strict=True)
    ]


def judge_parts(parts: Sequence[FileToRead], load: LoadContext) -> Task:
    """A task that returns the judged lines of parts as rows of `ROWS_SCHEMA`."""

    def task(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"}) as connection:
            connection.execute(ON_EVERY_CONNECTION)
            with judging(connection, load.shapes, load.everyone_forgotten) as judges:
                for number in _numbers(numbers):
                    yield from _judged(judges, parts[number], load)

    return task


def _judged(judges: Judging, part: FileToRead, load: LoadContext) -> Iterator[pa.RecordBatch]:
    problems: list[str] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from part.reader().batches()
        except SourceError as error:
            problems.append(error.problem)

    same = {"load_id": load.load_id, "loaded_at": load.loaded_at, "part_id": part.part_id}
    for view in kept_rows(judges, batches(), load.statuses):
        for rows in judges.connection.sql(f"from {view}").to_arrow_reader(ROWS):
            columns = [
                pa.array([same[column.name]] * len(rows), column.type)
                if column.name in same
                else rows[column.name].cast(column.type)
                for column in ROWS_SCHEMA
            ]
            yield pa.record_batch(columns, schema=ROWS_SCHEMA)
    for problem in problems:
        row = {
            "file_id": part.file_id,
            "line_number": 0,
            "position": 0,
            "reason": problem,
            "is_withheld": False,
            **same,
        }
        yield pa.RecordBatch.from_pylist([row], schema=ROWS_SCHEMA)


def _numbers(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    for batch in batches:
        yield from batch.column(0).to_pylist()
