"""`studyflow load`: files into `raw.deliveries`, with the ledger, in one transaction."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.ledger import (
    Counted,
    Entry,
    Plan,
    Task,
    current_entries,
    entry_after,
    plan,
    superseded_entries,
    write_entries,
)
from pipelines.load.lines import SCHEMA
from pipelines.load.sources import SourceFile, find
from pipelines.load.strict_json import LONG, brief_form, normal_form
from pipelines.load.withhold import KEPT_LINES, forgotten
from pipelines.reference import known_statuses
from pipelines.warehouse import has_table, only_row, raw_tables_ddl

PARSE = (Path(__file__).parent / "parse.sql").read_text(encoding="utf-8")
AGAIN_AT_ONCE = 10_000
AGAIN_AT_ONCE_BYTES = 16 << 20
NO_JSON = b"not JSON"

# `reason` holds 'contested' only until the lines have been looked at again, later in the same transaction.
INSERT = """
insert into raw.deliveries by name
select
    file_id,
    line_number,
    $load_id as load_id,
    (select loaded_at from raw.loads where load_id = $load_id) as loaded_at,
    case when is_contested and $may_contest then 'contested' else reason end as reason,
    event_type,
    participant_id,
    person_id,
    study_id,
    status,
    prior_status,
    updated_at,
    svix_id,
    received_at,
    case
        when is_contested and $may_contest then null
        when
            not is_said_by_columns
            or status not in (select status from known_statuses)
            or (prior_status is not null and prior_status not in (select status from known_statuses))
            then regexp_replace(try(decode(raw)), '\\r?\\n?$', '')
    end as line,
    case
        when is_no_text or (is_contested and $may_contest) or (not $may_contest and try(decode(raw)) is null) then raw
    end as line_bytes
from {lines}
where not is_blank
"""

FIRST_LOOK = f"""
create or replace temp view lines as
select *, raw as document, octet_length(raw) > {LONG} as is_long, false as says_more
from arriving
"""  # noqa: S608

SECOND_LOOK = "create or replace temp view lines as select *, false as is_long from again"

# Lines of forgotten people have come in as nothing but their place.
SET_APART = """
insert into raw.forgotten_lines
select file_id, line_number, load_id from raw.deliveries where load_id = $load_id and reason = 'forgotten'
"""
SET_APART_FROM = "delete from raw.deliveries where load_id = $load_id and reason = 'forgotten'"

COUNTED = """
select
    file_id,
    count(*) filter (is_kept),
    count(*) filter (not is_kept and load_id = $load_id),
    count(*) filter (not is_kept)
from (
    select file_id, load_id, true as is_kept from raw.deliveries where load_id = $load_id
    union all
    select file_id, load_id, false as is_kept from raw.forgotten_lines
)
group by file_id
"""

# Lines that stand in an old content of a file and are read from it again are the same deliveries: the old ones go.
FORGET_REPEATED = """
delete from raw.deliveries
where file_id = $old and line_number in (
    with contents as (
        select
            file_id,
            line_number,
            hash(
                reason, event_type, participant_id, person_id, study_id, status, prior_status, updated_at,
                svix_id, received_at, line, line_bytes
            ) as content
        from raw.deliveries
        where file_id = $old or (file_id = $new and load_id = $load_id)
    ),

    counted as (
        select
            file_id,
            line_number,
            content,
            row_number() over (partition by file_id, content order by line_number) as repetition
        from contents
    )

    select before.line_number
    from counted as before
    inner join counted as since
        on before.content = since.content and before.repetition = since.repetition
    where before.file_id = $old and since.file_id = $new
)
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: files by what happened to them, and the lines read from them, blank ones included."""

    files_found: int
    files_new: int
    files_grown: int
    files_rewritten: int
    lines_read: int
    problems: tuple[SourceError, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "files_found": self.files_found,
            "files_new": self.files_new,
            "files_grown": self.files_grown,
            "files_rewritten": self.files_rewritten,
            "lines_read": self.lines_read,
            "problems": [str(problem) for problem in self.problems],
        }

    def sentence(self) -> str:
        """The same for a person."""
        if not self.files_found:
            return "No webhook files were found."
        if not self.lines_read:
            return f"Nothing new in {self.files_found:,} files."
        return (
            f"{self.lines_read:,} lines read: {self.files_new:,} new files, {self.files_grown:,} grown, "
            f"{self.files_rewritten:,} rewritten, of {self.files_found:,} found."
        )


def nothing_new(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> Loaded | None:
    """What a load would say that would change nothing; None where it would. The warehouse is only read."""
    if not has_table(connection, "raw", "format"):
        return None
    sources, todo = _look(connection, paths, time.time_ns())
    return None if todo.tasks or todo.touched else _summary(sources, todo)


Progress = Callable[[int, int], object]
"""Called with the bytes read so far and the bytes there are to read."""


def load(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path], progress: Progress | None = None) -> Loaded:
    """Read what is new under the paths. A file that cannot be read to its end leaves nothing behind.

    Raises:
        StudyflowError: the table of statuses is missing or wrong.
    """
    statuses = known_statuses()
    connection.execute(raw_tables_ddl())
    read_ns = time.time_ns()
    sources, todo = _look(connection, paths, read_ns)
    connection.begin()
    try:
        write_entries(connection, todo.touched)
        if todo.tasks:
            _read(connection, todo, read_ns, statuses, progress)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return _summary(sources, todo)


def _look(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path], now_ns: int) -> tuple[list[SourceFile], Plan]:
    sources, problems = find(paths)
    next_id = only_row(connection, "select coalesce(max(file_id), 0) + 1 from raw.files")[0]
    todo = plan(sources, current_entries(connection), next_id, now_ns)
    todo.problems[:0] = problems
    return sources, todo


def _read(
    connection: duckdb.DuckDBPyConnection,
    todo: Plan,
    read_ns: int,
    statuses: list[str],
    progress: Progress | None,
) -> None:
    load_id = _begin_load(connection)
    connection.register("known_statuses", pa.table({"status": statuses}))
    failed = _insert(connection, todo, load_id, progress)
    todo.tasks = [task for task in todo.tasks if task not in failed]
    _look_again(connection, load_id)
    connection.unregister("known_statuses")
    for task in failed:
        _take_back(connection, task.reader.file_id, "load_id = $load_id", load_id)
    for statement in (SET_APART, SET_APART_FROM):
        connection.execute(statement, {"load_id": load_id})
    for task in todo.tasks:
        if task.entry and task.entry.open_line_bytes:
            _withdraw_open_line(connection, task.entry, load_id)
    counted = _counted(connection, load_id)
    nothing = Counted(0, 0, 0)
    written = [entry_after(task, load_id, read_ns, counted.get(task.reader.file_id, nothing)) for task in todo.tasks]
    older = superseded_entries(connection) + [task.replaces for task in todo.tasks if task.replaces]
    written += [
        _supersede(connection, old, task.reader.file_id, load_id)
        for task in todo.tasks
        for old in older
        if old.source_file == task.reader.source.name
    ]
    write_entries(connection, written)


def _counted(connection: duckdb.DuckDBPyConnection, load_id: int) -> dict[int, Counted]:
    """What was counted of each file of which a line was kept or withheld, now or ever."""
    found = connection.execute(COUNTED, {"load_id": load_id}).fetchall()
    return {file_id: Counted(*counts) for file_id, *counts in found}


def _begin_load(connection: duckdb.DuckDBPyConnection) -> int:
    query = "insert into raw.loads select coalesce(max(load_id), 0) + 1, now() from raw.loads returning load_id"
    return int(only_row(connection, query)[0])


def _insert(connection: duckdb.DuckDBPyConnection, todo: Plan, load_id: int, progress: Progress | None) -> list[Task]:
    """Stream every file into one insert; the tasks whose file could not be read to its end."""
    failed: list[Task] = []
    broken_off_by: list[BaseException] = []  # DuckDB makes an error of its own of whatever comes up in the stream
    total = sum(task.reader.source.size for task in todo.tasks)

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for task in todo.tasks:
            if progress:
                start = done
                task.reader.advance = lambda position, start=start: progress(start + position, total)  # type: ignore[misc]
            try:
                yield from task.reader.batches()
            except SourceError as problem:
                todo.problems.append(problem)
                failed.append(task)
            except (Exception, KeyboardInterrupt) as error:
                broken_off_by.append(error)
                raise
            done += task.reader.source.size

    connection.register("arriving", pa.RecordBatchReader.from_batches(SCHEMA, batches()))
    connection.execute(FIRST_LOOK)
    try:
        _parse(connection, load_id, may_contest=True)
    except duckdb.Error:
        if broken_off_by:
            raise broken_off_by[0] from None
        raise
    connection.unregister("arriving")
    return failed


def _parse(connection: duckdb.DuckDBPyConnection, load_id: int, *, may_contest: bool) -> None:
    connection.execute(PARSE)
    lines = "parsed_lines"
    if someone := forgotten(connection):
        someone.tell(connection)
        connection.execute(KEPT_LINES)
        lines = "kept_lines"
    connection.execute(INSERT.format(lines=lines), {"load_id": load_id, "may_contest": may_contest})


def _look_again(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Parse contested and long lines strictly and put them in again as what they are."""
    contested = connection.sql(
        "select file_id, line_number, octet_length(line_bytes) as size from raw.deliveries "
        "where load_id = $load_id and reason = 'contested' order by file_id, line_number",
        params={"load_id": load_id},
    ).to_arrow_table()
    for some in _portions(contested):
        connection.register("contested", some)
        its_lines = "using (file_id, line_number) where load_id = $load_id"
        raw = connection.sql(
            f"select file_id, line_number, line_bytes as raw from raw.deliveries inner join contested {its_lines}",  # noqa: S608
            params={"load_id": load_id},
        ).to_arrow_table()
        connection.execute(
            "delete from raw.deliveries using contested where deliveries.file_id = contested.file_id "
            "and deliveries.line_number = contested.line_number and deliveries.load_id = ?",
            [load_id],
        )
        connection.register("again", read_again(raw))
        connection.execute(SECOND_LOOK)
        _parse(connection, load_id, may_contest=False)
        connection.unregister("again")
        connection.unregister("contested")


def _portions(contested: pa.Table) -> Iterator[pa.Table]:
    """The lines, as many at a time as are handled with ease."""
    start, held = 0, 0
    for end, size in enumerate(contested["size"].to_pylist()):
        if end > start and (held + size > AGAIN_AT_ONCE_BYTES or end - start == AGAIN_AT_ONCE):
            yield contested.slice(start, end - start)
            start, held = end, 0
        held += size
    if start < contested.num_rows:
        yield contested.slice(start)


def read_again(lines: pa.Table) -> pa.Table:
    """The lines with what DuckDB is to read of them, and whether they say more."""
    documents, more = [], []
    for raw in lines["raw"].to_pylist():
        form, says_more = brief_form(raw) if len(raw) > LONG else (normal_form(raw), False)
        documents.append(NO_JSON if form is None else form)
        more.append(says_more)
    with_documents = lines.append_column("document", pa.array(documents, pa.large_binary()))
    return with_documents.append_column("says_more", pa.array(more, pa.bool_()))


def _withdraw_open_line(connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int) -> None:
    """Take back a line that was taken without its newline: it has been read again, and may have become another."""
    which = f"load_id < $load_id and line_number = {entry.next_line}"
    _take_back(connection, entry.file_id, which, load_id)


def _take_back(connection: duckdb.DuckDBPyConnection, file_id: int, which: str, load_id: int) -> None:
    """Remove rows of a file, and note whose they were."""
    rows = f"from raw.deliveries where file_id = $file_id and {which}"
    values = {"file_id": file_id, "load_id": load_id}
    connection.execute(
        f"insert into raw.withdrawals select distinct $load_id, participant_id {rows} and participant_id is not null",
        values,
    )
    connection.execute(f"delete {rows}", values)
    connection.execute(f"delete from raw.forgotten_lines where file_id = $file_id and {which}", values)  # noqa: S608


def _supersede(connection: duckdb.DuckDBPyConnection, old: Entry, new_file_id: int, load_id: int) -> Entry:
    """End a content that a file had before it was rewritten; what has not come again since stays loaded."""
    connection.execute(FORGET_REPEATED, {"old": old.file_id, "new": new_file_id, "load_id": load_id})
    connection.execute("delete from raw.forgotten_lines where file_id = ?", [old.file_id])
    left = only_row(connection, "select count(*) from raw.deliveries where file_id = ?", [old.file_id])[0]
    return replace(old, is_superseded=True, lines=left, blank_lines=0, pending_bytes=0, last_load_id=load_id)


def _summary(sources: list[SourceFile], todo: Plan) -> Loaded:
    lines_before = [task.entry.next_line - 1 if task.entry else 0 for task in todo.tasks]
    return Loaded(
        files_found=len(sources),
        files_new=sum(task.entry is None and task.replaces is None for task in todo.tasks),
        files_grown=sum(task.entry is not None for task in todo.tasks),
        files_rewritten=sum(task.replaces is not None for task in todo.tasks),
        lines_read=sum(task.reader.cursor.lines for task in todo.tasks) - sum(lines_before),
        problems=tuple(todo.problems),
    )
