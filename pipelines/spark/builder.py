"""`studyflow run --engine spark`: dbt builds all tables on Spark, as Parquet files in a new folder.

The folder of a warehouse's tables has a folder for each build (`build-7`), and a link `tables` to the last one. A build
is made in `new`. Readers see it once the DuckDB file with views over it replaces the previous one. The previous build
is kept until the next one ends, for its present readers. Each run begins by deleting what killed runs left.
"""

import os
import re
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import duckdb

from pipelines.build import run_dbt
from pipelines.errors import UsageError
from pipelines.settings import PACKAGE, Settings
from pipelines.spark.loading import SparkLoader, remove_parts
from pipelines.spark.raw import make_file_tables, write_raw
from pipelines.spark.session import session, target
from pipelines.spark.views import make_views, parquet_files
from pipelines.state import engine_of, fingerprint
from pipelines.warehouse import connect, has_table, macros_of

OWNER = "warehouse"
"""A file with the path of the warehouse that the folder belongs to, because a run deletes builds of no warehouse."""
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
    """Builds all tables of a warehouse once, in a Spark session that is stopped when the `with` block ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = _folder(settings)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start Spark. Missing requirements are reported before anything is done."""
        if found := GLOB.search(str(self.folder)):
            msg = f"{self.folder}: Spark reads {found.group()!r} in a path as a pattern. Choose another --spark-folder."
            raise UsageError(msg)
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / "new", ignore_errors=True)
        for name, place in (("FOLDER", self.folder / "new"), ("LINES", self.folder / "lines")):
            self._open.callback(_set, f"STUDYFLOW_SPARK_{name}", os.environ.get(f"STUDYFLOW_SPARK_{name}"))
            _set(f"STUDYFLOW_SPARK_{name}", str(place))
        spark = self._open.enter_context(session())
        _check_warehouse_dir(spark.conf.get("spark.sql.warehouse.dir") or "", self.folder / "new")
        self.loader = SparkLoader(spark, self.folder / "lines")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop Spark."""
        self._open.close()

    def build(self) -> int:
        """Build every seed and model; return how many. This process must have closed its connections to the warehouse.

        Raises:
            StudyflowError: a model failed, or a reference file is invalid.
        """
        settings = self.settings
        new = self.folder / "new"
        with connect(settings.database) as connection:
            write_raw(connection, new, settings.studies_file, settings.people_file)
            make_file_tables(connection, new)
        dbt_folders = {"--target-path": self.folder / "dbt" / "target", "--log-path": self.folder / "dbt" / "logs"}
        results = run_dbt(settings, dbt_folders, "--target", target())
        nodes = [result.node for result in results if result.node.resource_type in {"seed", "model"}]
        build_id = max(self._builds(), default=0) + 1
        folder = self.folder / f"build-{build_id}"
        new.rename(folder)
        with connect(settings.database) as connection:
            make_views(connection, nodes, folder)
            connection.execute(macros_of(PACKAGE / "macros" / "share_bound.sql")("duckdb__share_functions"))
            connection.execute(
                LAST_BUILD, {"build_id": build_id, "as_of": settings.as_of, "fingerprint": fingerprint(settings)}
            )
        return len(nodes)

    def clean_up(self, *, keep_one_before: bool = True) -> None:
        """Point `tables` to the warehouse's build; delete builds older than the previous one, and unused lines.

        The warehouse must be reserved, because what a killed run left is deleted, too.
        """
        current, parts = 0, set()
        if self.settings.database.exists():
            with connect(self.settings.database, read_only=True) as connection:
                if engine_of(connection) == "duckdb":  # the run will refuse this warehouse
                    return
                if build := _current_build_folder(connection):
                    current = _number(build)
                    parts |= _part_ids(connection, "parquet.parts")
        kept = {current} if current else set()
        if keep_one_before:
            kept |= {max((number for number in self._builds() if number < current), default=current)} - {0}
        for number in self._builds() - kept:
            shutil.rmtree(self.folder / f"build-{number}", ignore_errors=True)
        for folder in (self.folder / "new", self.folder / "lines" / "new"):
            shutil.rmtree(folder, ignore_errors=True)
        if kept:
            (self.folder / OWNER).write_bytes(os.fsencode(self.settings.warehouse))
            link = self.folder / "tables.new"
            with suppress(OSError):  # not every file system has links
                link.unlink(missing_ok=True)
                link.symlink_to(f"build-{current}", target_is_directory=True)
                link.replace(self.folder / "tables")
            built = parquet_files(self.folder / f"build-{number}" / "raw.db" / "parts" for number in kept)
            with duckdb.connect() as connection:
                parts |= _part_ids(connection, built)
        remove_parts(self.folder / "lines", keep=parts)

    def _builds(self) -> set[int]:
        return {_number(build) for build in self.folder.glob("build-[0-9]*")}


def _number(build: Path) -> int:
    return int(build.name.removeprefix("build-"))


def _folder(settings: Settings) -> Path:
    """The folder for the tables of a warehouse: where they are already, or else as in the settings.

    Raises:
        UsageError: the settings name another folder, or the folder has the tables of another warehouse.
    """
    folder = settings.spark_folder
    if settings.database.exists():
        with connect(settings.database, read_only=True) as connection:
            current = _current_build_folder(connection)
        if current and folder and folder.resolve() != current.parent.resolve():
            msg = (
                f"{settings.warehouse}: its tables are in {current.parent}, not in {folder}. Name that folder, "
                "or another --database."
            )
            raise UsageError(msg)
        folder = current.parent if current else folder
    folder = folder or Path(f"{settings.warehouse}.spark")
    if (note := folder / OWNER).exists():
        owner = Path(os.fsdecode(note.read_bytes()))
        if owner.exists() and not (settings.warehouse.exists() and owner.samefile(settings.warehouse)):
            msg = f"{folder}: has the tables of {owner}. Name another --spark-folder for {settings.warehouse}."
            raise UsageError(msg)
    return folder


def _check_warehouse_dir(uri: str, new: Path) -> None:
    """Check that Spark writes its tables to the folder `new`. A Spark server gets this setting when it starts.

    Raises:
        UsageError: it writes them elsewhere.
    """
    path = uri.removeprefix("file://").removeprefix("file:")
    if new.resolve() not in {Path(path).resolve(), Path(unquote(path)).resolve()}:
        msg = f"Spark writes its tables to {path} and not to {new}. Start the server with --conf spark.sql.warehouse.dir={new}"
        raise UsageError(msg)


def _set(name: str, value: str | None) -> None:
    """Set an environment variable, or remove it if the value is None."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _part_ids(connection: duckdb.DuckDBPyConnection, relation: str) -> set[int]:
    """The numbers of parts in a table."""
    return {part_id for (part_id,) in connection.execute(f"select part_id from {relation}").fetchall()}  # noqa: S608


def _current_build_folder(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The folder of the build that the warehouse's views read; None if there is none."""
    if not has_table(connection, "parquet", "folders"):
        return None
    rows = connection.execute("select folders from parquet.folders where view_name = 'marts_participants'").fetchall()
    return Path(rows[0][0][0]).parent.parent if rows else None
