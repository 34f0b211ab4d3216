"""`studyflow load`: read new lines of files into `raw.deliveries` and update the ledger, in one transaction."""

from collections.abc import Callable, Iterable, Iterator
from time import time_ns

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.finding import FoundFiles, find
from pipelines.load.ledger import (
    Plan,
    Task,
    count_lines,
    current_entries,
    entry_after,
    known_objects,
    plan,
    write_entries,
)
from pipelines.load.load_result import LoadResult
from pipelines.load.not_webhooks import why_nothing_is_usable
from pipelines.load.parsing import Judging, insert, judging
from pipelines.load.rejudging import InsertRejudged, hash_of_shapes, insert_rejudged, is_due, rejudge
from pipelines.load.withdrawals import supersede, withdraw, withdraw_replaced
from pipelines.load.withhold import forgotten
from pipelines.object_paths import RawPath
from pipelines.reference import known_shapes, known_statuses
from pipelines.warehouse import has_table, only_row, raw_tables_ddl, transaction

OBJECTS_AHEAD = 8
"""For how many objects the first block is fetched ahead. Most objects are small, so latency dominates."""


def result_if_nothing_new(connection: duckdb.DuckDBPyConnection, paths: Iterable[RawPath]) -> LoadResult | None:
    """The result of a load if it would change nothing; else None. This only reads the warehouse."""
    if not has_table(connection, "raw", "format"):
        return None
    found, todo = _plan_load(connection, paths, time_ns())
    has_work = todo.tasks or todo.touched or todo.superseded or is_due(connection, known_shapes())
    return None if has_work else _result(connection, found, todo)


Progress = Callable[[int, int], object]
"""Called with the number of bytes read so far, and of all bytes to read."""


Insert = Callable[[Judging, Plan, int, list[str], Progress | None], list[Task]]
"""Reads the files of a plan into `raw.deliveries` and `raw.forgotten_lines` and moves their cursors.

Arguments: the judging, the plan, the number of the load, the known statuses and a callback for progress. Returns the
tasks whose file could not be read to its end.
"""


def insert_files(
    judges: Judging, todo: Plan, load_id: int, statuses: list[str], progress: Progress | None
) -> list[Task]:
    """Stream every file into one insert; return the tasks whose file could not be read to its end."""
    failed: list[Task] = []
    errors: list[BaseException] = []  # DuckDB replaces errors raised in the stream by its own
    total = sum(task.reader.source.size for task in todo.tasks)

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for number, task in enumerate(todo.tasks):
            for this_or_later in todo.tasks[number : number + OBJECTS_AHEAD + 1]:
                this_or_later.reader.fetch_ahead()
            if progress:
                task.reader.advance = lambda position, start=done: progress(start + position, total)  # type: ignore[misc]
            try:
                yield from task.reader.batches()
            except SourceError as problem:
                todo.problems.append(problem)
                failed.append(task)
            except (Exception, KeyboardInterrupt) as error:
                errors.append(error)
                raise
            done += task.reader.source.size

    try:
        insert(judges, batches(), load_id, statuses)
    except duckdb.Error:
        if errors:
            raise errors[0] from None
        raise
    return failed


def load(
    connection: duckdb.DuckDBPyConnection,
    paths: Iterable[RawPath],
    progress: Progress | None = None,
    insert_files: Insert = insert_files,
    insert_rejudged_lines: InsertRejudged = insert_rejudged,
) -> LoadResult:
    """Read new lines under the paths. Nothing is loaded from a file that cannot be read to its end.

    Spark passes its own `insert_files` and `insert_rejudged_lines`.

    Raises:
        StudyflowError: the table of statuses or of shapes is missing or invalid.
    """
    statuses, shapes = known_statuses(), known_shapes()
    shapes_hash = hash_of_shapes(shapes)
    connection.execute(raw_tables_ddl())
    read_ns = time_ns()
    found, todo = _plan_load(connection, paths, read_ns)
    with judging(connection, shapes, forgotten(connection)) as judges, transaction(connection):
        write_entries(connection, todo.touched)
        supersede(connection, [entry.file_id for entry in todo.superseded])
        if is_due(connection, shapes):  # before new lines: these are compared with the rejudged ones
            rejudge(judges, begin_load(connection, shapes_hash), statuses, insert_rejudged_lines)
        if todo.tasks:
            load_id = begin_load(connection, shapes_hash)
            failed = insert_files(judges, todo, load_id, statuses, progress)
            _record(connection, todo, failed, load_id, read_ns)
    return _result(connection, found, todo)


def _plan_load(connection: duckdb.DuckDBPyConnection, paths: Iterable[RawPath], now_ns: int) -> tuple[FoundFiles, Plan]:
    entries = current_entries(connection)
    found = find(paths, known_objects(entries))
    next_id = only_row(connection, "select coalesce(max(file_id), 0) + 1 from raw.files")[0]
    return found, plan(found, entries, next_id, now_ns)


def _record(connection: duckdb.DuckDBPyConnection, todo: Plan, failed: list[Task], load_id: int, read_ns: int) -> None:
    """Withdraw the lines of files that failed and old lines that were read again, and update the ledger."""
    todo.tasks = [task for task in todo.tasks if task not in failed]
    for task in failed:
        withdraw(connection, task.reader.file_id, "load_id = $load_id", load_id)
    withdraw_replaced(connection, todo.missing, [task.entry for task in todo.tasks if task.entry], load_id)
    write_entries(connection, [entry_after(task, load_id, read_ns) for task in todo.tasks])
    count_lines(connection, [task.reader.file_id for task in todo.tasks])


def begin_load(connection: duckdb.DuckDBPyConnection, shapes: str | None = None) -> int:
    """Start a load and return its number. `shapes`: hash of the table of shapes; if None, that of the last load."""
    query = (
        "insert into raw.loads select coalesce(max(load_id), 0) + 1, now(), coalesce($shapes, max_by(shapes, load_id)) "
        "from raw.loads returning load_id"
    )
    return int(only_row(connection, query, {"shapes": shapes})[0])


def _result(connection: duckdb.DuckDBPyConnection, found: FoundFiles, todo: Plan) -> LoadResult:
    lines_before = [task.entry.next_line - 1 if task.entry else 0 for task in todo.tasks]
    rewritten = {entry.source_file for entry in todo.superseded}
    is_rewritten = [task.entry is None and task.reader.source.name in rewritten for task in todo.tasks]
    lines_read = sum(task.reader.cursor.lines for task in todo.tasks) - sum(lines_before)
    return LoadResult(
        files_found=len(found.sources),
        files_new=sum(task.entry is None for task in todo.tasks) - sum(is_rewritten),
        files_grown=sum(task.entry is not None for task in todo.tasks),
        files_rewritten=sum(is_rewritten),
        lines_read=lines_read,
        files_left_out=tuple(found.left_out),
        problems=(*todo.problems, *_unfinished(todo)),
        nothing_usable=why_nothing_is_usable(connection, found, lines_read),
    )


def _unfinished(todo: Plan) -> Iterator[SourceError]:
    """A problem for each compressed file that ends in a partial line. Nobody will append to a compressed file."""
    pending = {entry.source_file: entry.pending_bytes for entry in todo.unchanged if entry.compression != "none"}
    for task in todo.tasks:
        if task.reader.source.compression != "none":
            pending[task.reader.source.name] = task.reader.cursor.pending_bytes
    for name, size in pending.items():
        if size:
            yield SourceError(name, f"ends in a partial line of {size:,} bytes. Send the complete file again.")
