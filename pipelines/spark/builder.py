"""`studyflow run --engine spark`: dbt on Spark makes all tables anew, as Parquet files in a fresh folder.

The folder of Spark's tables has a folder for each build, `build-7`, and a link `tables` to the last one. A build is made
in `new`; it is seen once the DuckDB file with the views over it takes the place of the one before. The build before
stays until the next one ends, for those who still read it.
"""

import os
import re
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from pipelines.build import run_dbt
from pipelines.errors import UsageError
from pipelines.settings import PACKAGE, Settings
from pipelines.spark.loading import SparkLoader, remove_parts
from pipelines.spark.raw import make_file_tables, write_raw
from pipelines.spark.session import session, target
from pipelines.spark.views import SparkTable, drop_other_views, make_views, parquet_files
from pipelines.state import fingerprint
from pipelines.warehouse import connect, has_table, macros_of

GLOB = re.compile(r"[][{}*?\\]")
LAST_BUILD = """
create schema if not exists state;
create table if not exists state.last_build (
    build_id integer, previous_build_id integer, as_of timestamptz, load_id integer, fingerprint varchar
);
delete from state.last_build;
insert into state.last_build select $build_id, null, $as_of, (select coalesce(max(load_id), 0) from raw.loads), $fingerprint
"""


class SparkBuilder:
    """Builds all tables of a warehouse, once, in a session of Spark, which is stopped at the end of the block."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.spark_folder or Path(f"{settings.warehouse}.spark")
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start Spark, so that what is missing is said before anything is done."""
        if found := GLOB.search(str(self.folder)):
            msg = f"{self.folder}: Spark reads {found.group()!r} in a path as a pattern. Choose another --spark-folder."
            raise UsageError(msg)
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / "new", ignore_errors=True)
        for name, place in (("FOLDER", self.folder / "new"), ("LINES", self.folder / "lines")):
            self._open.callback(_set, f"STUDYFLOW_SPARK_{name}", os.environ.get(f"STUDYFLOW_SPARK_{name}"))
            _set(f"STUDYFLOW_SPARK_{name}", str(place))
        self.loader = SparkLoader(self._open.enter_context(session()), self.folder / "lines")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop Spark."""
        self._open.close()

    def start(self) -> None:
        """Spark has been started."""

    def build(self) -> int:
        """Build every seed and model; how many. No connection to the warehouse may be open here.

        Raises:
            StudyflowError: a model failed, or something in the reference files cannot be right.
        """
        settings = self.settings
        new = self.folder / "new"
        with connect(settings.database) as connection:
            self._remove_unseen(_shown(connection))
            write_raw(connection, new, settings.studies_file, settings.people_file)
            make_file_tables(connection, new)
        places = {"--target-path": self.folder / "dbt" / "target", "--log-path": self.folder / "dbt" / "logs"}
        results = run_dbt(settings, places, "--target", target())
        made = [result.node for result in results if result.node.resource_type in {"seed", "model"}]
        build_id = max(self._builds(), default=0) + 1
        place = self.folder / f"build-{build_id}"
        new.rename(place)
        with connect(settings.database) as connection:
            tables = [_table(node, place) for node in made]
            drop_other_views(connection, tables)
            make_views(connection, tables)
            connection.execute(macros_of(PACKAGE / "macros" / "share_bound.sql")("duckdb__share_functions"))
            connection.execute(
                LAST_BUILD, {"build_id": build_id, "as_of": settings.as_of, "fingerprint": fingerprint(settings)}
            )
        return len(made)

    def tidy(self) -> None:
        """Point `tables` to the build that the warehouse shows, and remove all others but the one before, and lines of none."""
        with connect(self.settings.database, read_only=True) as connection:
            shown = _shown(connection)
        link = self.folder / "tables.new"
        with suppress(OSError):  # not every file system has links
            link.unlink(missing_ok=True)
            link.symlink_to(f"build-{shown}", target_is_directory=True)
            link.replace(self.folder / "tables")
        before = max((number for number in self._builds() if number < shown), default=shown)
        for number in self._builds() - {shown, before}:
            shutil.rmtree(self.folder / f"build-{number}", ignore_errors=True)
        parts = parquet_files(self.folder / f"build-{number}" / "raw.db" / "parts" for number in {shown, before})
        with duckdb.connect() as connection:
            found = connection.execute(f"select distinct part_id from {parts}").fetchall()  # noqa: S608
        remove_parts(self.folder / "lines", but={part_id for (part_id,) in found})

    def _remove_unseen(self, shown: int) -> None:
        """Remove builds that no warehouse ever showed: of runs that were killed before they ended."""
        for number in self._builds():
            if number > shown:
                shutil.rmtree(self.folder / f"build-{number}", ignore_errors=True)

    def _builds(self) -> set[int]:
        return {int(path.name.removeprefix("build-")) for path in self.folder.glob("build-[0-9]*")}


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _shown(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the build that the warehouse shows; 0 where none has been made."""
    if not has_table(connection, "parquet", "folders"):
        return 0
    rows = connection.execute("select folders from parquet.folders where view_name = 'marts_participants'").fetchall()
    return int(Path(rows[0][0][0]).parent.parent.name.removeprefix("build-")) if rows else 0


def _table(node: Any, place: Path) -> SparkTable:  # noqa: ANN401 - as dbt has it
    columns = node.columns.values()
    return SparkTable(
        node.schema,
        node.alias,
        [place / f"{node.schema}.db" / node.alias],
        {column.name: column.data_type or "" for column in columns},
        node.description,
        {column.name: column.description for column in columns},
    )
