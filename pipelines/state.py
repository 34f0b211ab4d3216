"""The state of a warehouse: its last build, whether that is up to date and passed its checks, and what is loaded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.errors import UsageError
from pipelines.load.sources import display_name
from pipelines.projects import package_of
from pipelines.settings import PROJECT, SAMPLE, Engine, Settings
from pipelines.variables import read_vars
from pipelines.warehouse import has_table, macros_of, only_row

if TYPE_CHECKING:
    from pipelines.check.report import Report

MAX_AGE = timedelta(hours=1)
"""If nothing is new, a run without an as-of keeps tables for this long, then builds them again to update ages."""

IS_ANYTHING_NOT_BUILT = """
select
    (select coalesce(max(load_id), 0) from raw.loads) <> $load_id
    or exists (
        select source_file, file_id from raw.files where not is_superseded or lines > 0
        except select source_file, file_id from audit.load_files
    )
"""

BUILD_HASH = """
select md5(concat_ws(
    ' ', build_id, epoch_us(as_of), load_id, fingerprint,
    (
        select string_agg(concat(load_id, ' ', epoch_us(loaded_at)), ',' order by load_id, loaded_at)
        from raw.loads
    )
))
from state.last_build
"""


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build: the row of `state.last_build`."""

    build_id: int
    previous_build_id: int | None
    as_of: datetime
    load_id: int
    fingerprint: str

    @property
    def is_whole(self) -> bool:
        """Whether it was a full build. Any other build updated the tables of the previous one."""
        return self.previous_build_id is None


def built_as_of(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The as-of of the tables; None if none have been built."""
    if not has_table(connection, "audit", "built_as_of"):
        return None
    as_of: datetime = only_row(connection, "select as_of from audit.built_as_of")[0]
    return as_of


def last_build(connection: duckdb.DuckDBPyConnection) -> Build | None:
    """The last build; None if it did not finish, or if some tables have been built in another way since."""
    if not has_table(connection, "state", "last_build"):
        return None
    rows = connection.execute(
        "select build_id, previous_build_id, as_of, load_id, fingerprint from state.last_build"
    ).fetchall()
    return Build(*rows[0]) if rows else None


def up_to_date(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Build | None:
    """The last build, if a build with these settings would make the same tables; else None."""
    build = last_build(connection)
    if build is None or not _is_as_of_current(build.as_of, settings) or not includes_all_loads(connection):
        return None
    tables = {name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()}
    if not tables.issuperset(path.stem for path in (package_of(PROJECT) / "models").rglob("*.sql")):
        return None
    return build if fingerprint(settings) == build.fingerprint else None


def includes_all_loads(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the tables include everything that has been loaded."""
    build = last_build(connection)
    needed = (("audit", "load_files"), ("audit", "rejected_lines"), ("staging", "stg_changes"))
    if build is None or not all(has_table(connection, schema, table) for schema, table in needed):
        return False
    return not only_row(connection, IS_ANYTHING_NOT_BUILT, {"load_id": build.load_id})[0]


def build_hash(connection: duckdb.DuckDBPyConnection) -> str | None:
    """A hash that two warehouses share if their tables come from the same build; None if the last build did not finish.

    It includes the time of each load, so warehouses that were loaded separately differ even if their builds have equal
    ids.
    """
    if not (has_table(connection, "state", "last_build") and has_table(connection, "raw", "loads")):
        return None
    rows = connection.execute(BUILD_HASH).fetchall()
    return str(rows[0][0]) if rows else None


def was_checked(connection: duckdb.DuckDBPyConnection, build_id: int) -> bool:
    """Whether the tables of this build passed their checks, according to `state.checked`."""
    if not has_table(connection, "state", "checked"):
        return False
    return bool(connection.execute("select 1 from state.checked where ok and build_id = $1", [build_id]).fetchall())


def record_check(connection: duckdb.DuckDBPyConnection, build_id: int, report: "Report") -> None:
    """Record in `state.checked` whether the tables of a build passed their checks.

    If the next build may not update them, also empty `state.last_build`, so that it is a full one.
    """
    connection.execute("create schema if not exists state")
    connection.execute(
        "create or replace table state.checked as select cast($build_id as integer) as build_id, $ok as ok",
        {"build_id": build_id, "ok": not report.failures},
    )
    if not report.may_build_on and has_table(connection, "state", "last_build"):
        connection.execute("delete from state.last_build")


def _is_as_of_current(built: datetime, settings: Settings) -> bool:
    if settings.is_as_of_requested:
        return built == settings.as_of
    return built <= settings.as_of < built + MAX_AGE


def fingerprint(settings: Settings) -> str:
    """A hash of all that tables depend on except deliveries and as-of. The macro `fingerprint` computes the same."""
    macros = macros_of(package_of(PROJECT) / "macros" / "builds" / "fingerprint.sql")
    variables = read_vars(PROJECT)
    values = [f"{name}={variables[name]}" for name in macros("vars_of_tables")]
    files = [str(settings.studies_file), str(settings.people_file)]
    engine = duckdb.__version__ if settings.engine == "duckdb" else f"spark {version('pyspark')}"
    return fingerprint_of(PROJECT, macros("files_of_project"), files, values, engine)


def engine_of(connection: duckdb.DuckDBPyConnection) -> Engine | None:
    """The engine that loads and builds this warehouse; None if nothing has been loaded."""
    if has_table(connection, "parquet", "parts"):
        return "spark"
    return "duckdb" if any(sample_and_team_files(connection)) else None


def refuse_other_engine(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Refuse a warehouse that another engine has loaded.

    Raises:
        UsageError: the warehouse belongs to another engine than that of the settings.
    """
    engine = engine_of(connection)
    if engine == "spark" != settings.engine:
        msg = (
            f"{settings.warehouse}: Spark made this warehouse, and only `studyflow run --engine spark` changes it. "
            "Run that, or name another --database."
        )
        raise UsageError(msg)
    if engine == "duckdb" != settings.engine:
        msg = f"{settings.warehouse}: DuckDB made this warehouse. Name another --database for --engine spark."
        raise UsageError(msg)


def fingerprint_of(
    project: Path, patterns: list[str], files: list[str], values: list[str], engine: str = duckdb.__version__
) -> str:
    """A hash of the engine, the matching files of the project and studyflow, other `files` if they exist, and `values`.

    The order and the names of files do not matter. The engine's version is included because tables contain keys that
    are its hashes, and another version may hash differently.
    """
    folders = {project, package_of(project)}
    found = [path for folder in folders for pattern in patterns for path in folder.glob(pattern)]
    found += [path for path in map(Path, files) if path.exists()]
    contents = sorted(md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in found)
    return md5("\n".join([engine, *sorted(values), *contents]).encode(), usedforsecurity=False).hexdigest()


def is_anything_loaded(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any line was ever loaded, including lines withheld because their person was forgotten."""
    return any(
        has_table(connection, "raw", table) and connection.execute(f"select 1 from raw.{table} limit 1").fetchall()  # noqa: S608
        for table in ("deliveries", "forgotten_lines")
    )


def sample_and_team_files(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """How many loaded files are of the sample that comes with studyflow, and how many are the team's own."""
    if not has_table(connection, "raw", "files"):
        return 0, 0
    of_sample, of_team = only_row(
        connection,
        "select count(*) filter (starts_with(source_file, $1)), count(*) filter (not starts_with(source_file, $1)) "
        "from raw.files",
        [f"{display_name(SAMPLE)}/"],
    )
    return of_sample, of_team


def is_sample(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether only files of the sample are loaded."""
    of_sample, of_team = sample_and_team_files(connection)
    return of_sample > 0 and not of_team
