"""`studyflow run --engine spark`: dbt on Spark makes all tables anew, as Parquet files in a fresh folder.

The folder of Spark's tables has a folder for each build, `build-7`, and a link `tables` to the last one. A build is made
in `new`; it is seen once the DuckDB file with the views over it takes the place of the one before. The build before
stays until the next one ends, for those who still read it. Each run begins by removing what killed ones left.
"""

import os
import re
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import duckdb

from pipelines.build import run_dbt
from pipelines.errors import UsageError
from pipelines.settings import PACKAGE, Settings
from pipelines.spark.loading import SparkLoader, remove_parts
from pipelines.spark.raw import make_file_tables, write_raw
from pipelines.spark.session import session, target
from pipelines.spark.views import SparkTable, drop_other_views, make_views, parquet_files
from pipelines.state import engine_of, fingerprint
from pipelines.warehouse import connect, has_table, macros_of

OWNER = "warehouse"
"""The file that says of a folder whose tables it has: a run removes what is not of its own warehouse."""
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
        self.folder = _folder(settings)
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
        spark = self._open.enter_context(session())
        _check_place(spark.conf.get("spark.sql.warehouse.dir") or "", self.folder / "new")
        self.loader = SparkLoader(spark, self.folder / "lines")
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

    def tidy(self, *, keep_one_before: bool = True) -> None:
        """Point `tables` to the build that the warehouse shows, and remove all others but the one before, and lines of none.

        Nobody else may be at work on the warehouse: what a killed run left is removed, too.
        """
        shown, parts = 0, set()
        if self.settings.database.exists():
            with connect(self.settings.database, read_only=True) as connection:
                if engine_of(connection) == "duckdb":  # which refuses all else
                    return
                if shown := _shown(connection):
                    parts |= _numbers(connection, "parquet.parts")
        kept = {shown} if shown else set()
        if keep_one_before:
            kept |= {max((number for number in self._builds() if number < shown), default=shown)} - {0}
        for number in self._builds() - kept:
            shutil.rmtree(self.folder / f"build-{number}", ignore_errors=True)
        for place in (self.folder / "new", self.folder / "lines" / "new"):
            shutil.rmtree(place, ignore_errors=True)
        if kept:
            (self.folder / OWNER).write_bytes(os.fsencode(self.settings.warehouse))
            link = self.folder / "tables.new"
            with suppress(OSError):  # not every file system has links
                link.unlink(missing_ok=True)
                link.symlink_to(f"build-{shown}", target_is_directory=True)
                link.replace(self.folder / "tables")
            built = parquet_files(self.folder / f"build-{number}" / "raw.db" / "parts" for number in kept)
            with duckdb.connect() as connection:
                parts |= _numbers(connection, built)
        remove_parts(self.folder / "lines", but=parts)

    def _builds(self) -> set[int]:
        return {int(path.name.removeprefix("build-")) for path in self.folder.glob("build-[0-9]*")}


def _folder(settings: Settings) -> Path:
    """The folder of the tables: of a warehouse that has any, where they are.

    Raises:
        UsageError: the settings name another one, or it has the tables of another warehouse.
    """
    folder = settings.spark_folder
    if settings.database.exists():
        with connect(settings.database, read_only=True) as connection:
            made = _build_shown(connection)
        if made and folder and folder.resolve() != made.parent.resolve():
            msg = (
                f"{settings.warehouse}: its tables are in {made.parent}, not in {folder}. Name that folder, "
                "or another --database."
            )
            raise UsageError(msg)
        folder = made.parent if made else folder
    folder = folder or Path(f"{settings.warehouse}.spark")
    if (note := folder / OWNER).exists():
        owner = Path(os.fsdecode(note.read_bytes()))
        if owner.exists() and not (settings.warehouse.exists() and owner.samefile(settings.warehouse)):
            msg = f"{folder}: has the tables of {owner}. Name another --spark-folder for {settings.warehouse}."
            raise UsageError(msg)
    return folder


def _check_place(said: str, new: Path) -> None:
    """See that Spark writes its tables to the folder for new ones, which a server can only be told when it starts.

    Raises:
        UsageError: it writes them elsewhere.
    """
    place = said.removeprefix("file://").removeprefix("file:")
    if new.resolve() not in {Path(place).resolve(), Path(unquote(place)).resolve()}:
        msg = f"Spark writes its tables to {place} and not to {new}. Start the server with --conf spark.sql.warehouse.dir={new}"
        raise UsageError(msg)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _numbers(connection: duckdb.DuckDBPyConnection, relation: str) -> set[int]:
    """The numbers of the parts of a table."""
    return {part_id for (part_id,) in connection.execute(f"select part_id from {relation}").fetchall()}  # noqa: S608


def _shown(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the build that the warehouse shows; 0 where none has been made."""
    made = _build_shown(connection)
    return int(made.name.removeprefix("build-")) if made else 0


def _build_shown(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The folder of the build that the warehouse shows."""
    if not has_table(connection, "parquet", "folders"):
        return None
    rows = connection.execute("select folders from parquet.folders where view_name = 'marts_participants'").fetchall()
    return Path(rows[0][0][0]).parent.parent if rows else None


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
