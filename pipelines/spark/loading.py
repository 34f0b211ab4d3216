"""Load files on Spark: its tasks judge lines and write them to Parquet files, in a folder (part) per file and load.

The ledger and all decisions about files are those of `pipelines.load`. Here, `raw.deliveries` is a view over the
folders that `parquet.parts` lists, without the lines in `parquet.taken_back`. A folder is never changed. If a load
withdraws lines, a new folder without them replaces the old one.
"""

import pickle
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.errors import SourceError, StudyflowError
from pipelines.load.ledger import Plan, Task
from pipelines.load.load_result import LoadResult
from pipelines.load.loader import Progress, load
from pipelines.load.parsing import Judging
from pipelines.object_paths import RawPath
from pipelines.reference import known_shapes
from pipelines.spark.tasks import PART, ROWS_SCHEMA, Cut, FileToRead, LoadContext, cut, judge_parts, parts_of
from pipelines.spark.views import drop_view_of_files, make_view_of_files, parquet_files
from pipelines.warehouse import has_table, literal, only_row, raw_tables_ddl, transaction

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PARTS_AT_ONCE = 8
"""The minimum number of tasks that files are spread over, if there are that many files."""

LEDGER = """
create schema if not exists parquet;
create table if not exists parquet.parts (part_id integer, file_id integer, load_id integer, folder varchar);
create table if not exists parquet.taken_back (file_id integer, line_number bigint, position integer, load_id integer);
create table if not exists parquet.no_deliveries as from raw.deliveries limit 0;
"""
DELIVERIES_NOT_WITHDRAWN = (
    "from parquet.raw_deliveries anti join parquet.taken_back using (file_id, line_number, position, load_id)"
)

PARTS_WITH_PERSON = """
select distinct part_id
from deliveries_before
where
    (file_id, line_number, position) in (select (file_id, line_number, position) from removed_deliveries)
    or (participant_id is not null and line is not null and mentions_person(file_id, line_number, position))
"""
"""The parts that mention the person to forget: with their own lines, or with stored lines of others that name them."""


class SparkLoader:
    """Loads files into a folder of Parquet files, in a Spark session."""

    def __init__(self, spark: "SparkSession", folder: Path, part_bytes: int = PART) -> None:
        self.spark = spark
        self.folder = folder
        self.part_bytes = part_bytes

    def load(
        self, connection: duckdb.DuckDBPyConnection, paths: Iterable[RawPath], progress: Progress | None = None
    ) -> LoadResult:
        """Read new lines under the paths, as `pipelines.load.loader.load` does.

        Raises:
            StudyflowError: a task failed, or the table of statuses is missing or invalid.
        """
        from pyspark.errors import PySparkException  # noqa: PLC0415 - pyspark is optional

        prepare_tables(connection)
        try:
            loaded = load(connection, paths, progress, self.insert, self.insert_rejudged)
        except PySparkException as error:
            first_line = str(error).strip().split("\n", maxsplit=1)[0]
            msg = f"The files could not be loaded on Spark, and nothing has changed. Spark says: {first_line}"
            raise StudyflowError(msg) from error
        with transaction(connection):
            self._rewrite_parts(connection)
        return loaded

    def insert(
        self,
        judges: Judging,
        todo: Plan,
        load_id: int,
        statuses: list[str],
        progress: Progress | None,
    ) -> list[Task]:
        """Write the lines of files as Parquet; return the tasks whose file could not be read to its end."""
        from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - pyspark is optional

        connection = judges.connection
        files = [
            FileToRead(task.reader.source, task.reader.file_id, task.reader.cursor, task.reader.fingerprint, part_id)
            for part_id, task in enumerate(todo.tasks, start=_next_part(connection))
        ]
        problems: dict[int, str] = {}
        parts: list[FileToRead] = []
        for number, found in self._cut(files).items():
            if isinstance(found, str):
                problems[files[number].part_id] = found
            else:
                todo.tasks[number].reader.cursor = found.cursor
                todo.tasks[number].reader.fingerprint = found.fingerprint
                parts += parts_of(files[number], found)
        new = self.folder / "new"
        shutil.rmtree(new, ignore_errors=True)
        if parts:
            loaded_at = only_row(connection, "select loaded_at from raw.loads where load_id = $1", [load_id])[0]
            task = judge_parts(
                parts, LoadContext(load_id, loaded_at, statuses, known_shapes(), judges.forgotten_people)
            )
            rows = self._numbered(len(parts), sum(part.source.size - part.cursor.offset for part in parts))
            rows = rows.mapInArrow(task, from_arrow_schema(ROWS_SCHEMA)).selectExpr("*", "part_id as part")
            rows.write.partitionBy("is_withheld", "part").parquet(str(new))
            problems |= self._problems(connection, new)
        for file in files:
            if file.part_id not in problems:
                self._add_file(connection, new, file, load_id)
        shutil.rmtree(new, ignore_errors=True)
        update_deliveries_view(connection)
        if progress:
            size = sum(file.source.size for file in files)
            progress(size, size)
        failed = [task for task, file in zip(todo.tasks, files, strict=True) if file.part_id in problems]
        names = {file.part_id: file.source.name for file in files}
        todo.problems += [SourceError(names[part_id], problem) for part_id, problem in sorted(problems.items())]
        return failed

    def insert_rejudged(self, connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
        """Write lines that were judged again as Parquet. They are few, so DuckDB does this."""
        columns = [name for name in columns_of_deliveries(connection) if name not in {"load_id", "loaded_at"}]
        files = connection.execute("select distinct file_id from rejudged_lines order by file_id").fetchall()
        for (file_id,) in files:
            query = (
                f"select {', '.join(columns)}, loads.load_id, loads.loaded_at "  # noqa: S608
                f"from rejudged_lines cross join raw.loads where file_id = {file_id} and loads.load_id = {load_id}"
            )
            _write_part(connection, self.folder, query, file_id, load_id)
        update_deliveries_view(connection)

    def _cut(self, files: list[FileToRead]) -> dict[int, Cut | str]:
        rows = self._numbered(len(files), sum(file.source.size for file in files))
        answers = rows.mapInArrow(cut(files, self.part_bytes), "answer binary").collect()
        return dict(pickle.loads(row.answer) for row in answers)  # noqa: S301 - from our own tasks

    def _numbered(self, count: int, size: int) -> "DataFrame":
        """A frame of the numbers from 0 to `count` - 1, with partitions according to the total size of the files."""
        return self.spark.range(0, count, 1, min(count, PARTS_AT_ONCE + size // PART))

    def _problems(self, connection: duckdb.DuckDBPyConnection, new: Path) -> dict[int, str]:
        """For each part whose file was cut but could not be read a second time, why."""
        if not (folders := list(new.glob("is_withheld=false/part=*"))):
            return {}
        query = f"select part_id, max(reason) from {parquet_files(folders)} where line_number = 0 group by part_id"  # noqa: S608
        return dict(connection.execute(query).fetchall())

    def _add_file(self, connection: duckdb.DuckDBPyConnection, new: Path, file: FileToRead, load_id: int) -> None:
        withheld = new / "is_withheld=true" / f"part={file.part_id}"
        if withheld.exists():
            query = f"select file_id, line_number, position, load_id from {parquet_files([withheld])}"  # noqa: S608
            connection.execute(f"insert into raw.forgotten_lines by name {query}")
        made = new / "is_withheld=false" / f"part={file.part_id}"
        if made.exists():
            _add(connection, self.folder, made, (file.part_id, file.file_id, load_id))

    def _rewrite_parts(self, connection: duckdb.DuckDBPyConnection) -> None:
        touched = "select part_id from parquet.parts semi join parquet.taken_back using (file_id, load_id)"
        if connection.execute(f"{touched} limit 1").fetchall():
            replace_parts(connection, self.folder, touched, f"select * {DELIVERIES_NOT_WITHDRAWN}")
            connection.execute("delete from parquet.taken_back")
            update_deliveries_view(connection)


def replace_parts(connection: duckdb.DuckDBPyConnection, folder: Path, which: str, kept: str) -> None:
    """Replace parts by new folders with the lines that the query `kept` returns; a part without such lines is dropped.

    `which`: a query for the numbers of the parts. The old folders are kept until the next build has ended.
    """
    parts = f"select part_id, file_id, load_id from parquet.parts where part_id in ({which}) order by part_id"  # noqa: S608
    columns = ", ".join(columns_of_deliveries(connection))
    for part_id, file_id, load_id in connection.execute(parts).fetchall():
        query = f"select {columns} from ({kept}) where part_id = {part_id}"  # noqa: S608
        _write_part(connection, folder, query, file_id, load_id)
        connection.execute("delete from parquet.parts where part_id = $1", [part_id])


def copy_parts_without_person(folder: Path, connection: duckdb.DuckDBPyConnection, removed: str, kept: str) -> None:
    """Copy the parts to a new warehouse without a person, replacing those that mention the person.

    With a folder, it is the `copy_deliveries` of `pipelines.forget.warehouse.remove_person`.
    """
    _make_ledger(connection)
    for table in ("parts", "taken_back"):
        connection.execute(f"insert into parquet.{table} by name from before.parquet.{table}")
    update_deliveries_view(connection)
    is_any = connection.execute("select 1 from parquet.parts limit 1").fetchall()
    lines = f"select * {DELIVERIES_NOT_WITHDRAWN}" if is_any else "select *, 0 as part_id from parquet.no_deliveries"
    connection.execute(f"create temp view deliveries_before as {lines}")
    connection.execute(removed)
    connection.execute(f"create temp table parts_with_person as {PARTS_WITH_PERSON}")
    replace_parts(connection, folder, "from parts_with_person", kept)
    update_deliveries_view(connection)
    connection.execute("drop view deliveries_before")
    connection.execute("drop table parts_with_person")


def _write_part(connection: duckdb.DuckDBPyConnection, folder: Path, query: str, file_id: int, load_id: int) -> None:
    """Write the rows of a query as a new part; none if there are no rows."""
    new, part_id = folder / "new", _next_part(connection)
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    numbered = f"select *, {part_id}::integer as part_id from ({query})"  # noqa: S608
    [rows] = only_row(connection, f"copy ({numbered}) to {literal(str(new / 'lines.parquet'))} (format parquet)")
    if rows:
        _add(connection, folder, new, (part_id, file_id, load_id))
    shutil.rmtree(new, ignore_errors=True)


def _next_part(connection: duckdb.DuckDBPyConnection) -> int:
    part_id: int = only_row(connection, "select coalesce(max(part_id), 0) + 1 from parquet.parts")[0]
    return part_id


def _add(connection: duckdb.DuckDBPyConnection, folder: Path, new: Path, part: tuple[int, int, int]) -> None:
    """Move the folder `new` into `folder` and list it as a part. `part`: its number, its file and its load."""
    moved = folder / f"part-{part[0]}"
    shutil.rmtree(moved, ignore_errors=True)  # a killed load may have left it
    new.rename(moved)
    connection.execute("insert into parquet.parts values ($1, $2, $3, $4)", [*part, str(moved)])


def remove_parts(folder: Path, keep: set[int]) -> None:
    """Delete the folders of all parts except those to keep."""
    names = {f"part-{part_id}" for part_id in keep}
    for part in folder.glob("part-*"):
        if part.name not in names:
            shutil.rmtree(part, ignore_errors=True)


def prepare_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that list the parts, and replace the table raw.deliveries by a view over them."""
    if has_table(connection, "parquet", "parts"):
        return
    connection.execute(raw_tables_ddl())
    _make_ledger(connection)
    update_deliveries_view(connection)


def _make_ledger(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(LEDGER)
    connection.execute("drop table raw.deliveries")


def add_batches(connection: duckdb.DuckDBPyConnection) -> None:
    """Rewrite the parts of an earlier version, whose lines were one delivery each, with the columns that batches need.

    The old folders are kept for present readers until the next build.
    """
    connection.execute("alter table parquet.no_deliveries add column position integer")
    connection.execute("alter table parquet.no_deliveries add column shape varchar")
    connection.execute("alter table parquet.taken_back add column position integer default 0")
    parts = connection.execute(
        "select part_id, file_id, load_id, folder from parquet.parts order by part_id"
    ).fetchall()
    for part_id, file_id, load_id, folder in parts:
        lines = parquet_files([Path(folder)])
        query = f"select * exclude (part_id), 0 as position, null::varchar as shape from {lines}"  # noqa: S608
        _write_part(connection, Path(folder).parent, query, file_id, load_id)
        connection.execute("delete from parquet.parts where part_id = $1", [part_id])
    update_deliveries_view(connection)


def columns_of_deliveries(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns of raw.deliveries."""
    return [str(name) for name, *_ in connection.execute("describe parquet.no_deliveries").fetchall()]


def update_deliveries_view(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view raw.deliveries over the folders that are listed now."""
    folders = [
        Path(folder) for (folder,) in connection.execute("select folder from parquet.parts order by part_id").fetchall()
    ]
    query = "from parquet.no_deliveries"
    if folders:
        make_view_of_files(connection, "raw_deliveries", folders)
        query += f" union all select {', '.join(columns_of_deliveries(connection))} {DELIVERIES_NOT_WITHDRAWN}"
    connection.execute(f"create or replace view raw.deliveries as {query}")
    if not folders:
        drop_view_of_files(connection, "raw_deliveries")
