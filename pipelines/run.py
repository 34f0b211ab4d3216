"""The steps of `studyflow run`: load, build, check and export. The other commands use the same steps one by one."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console

from pipelines import logs
from pipelines.ask.warehouse import reading
from pipelines.builder import Builder
from pipelines.errors import StudyflowError
from pipelines.load.load_result import LoadResult
from pipelines.load.loader import load, result_if_nothing_new
from pipelines.outcome import Outcome
from pipelines.progress import progress_bar
from pipelines.reference import read_reference_files
from pipelines.settings import SAMPLE, Settings, requested_as_of, resolve, with_named_files
from pipelines.state import (
    built_as_of,
    engine_of,
    is_anything_loaded,
    last_build,
    record_check,
    sample_and_team_files,
    up_to_date,
    was_checked,
)
from pipelines.summary import summarise
from pipelines.variables import read_vars
from pipelines.warehouse import connect, wal_of
from pipelines.working_copy import OnWait, copied, reserved, working_copy

if TYPE_CHECKING:
    from pipelines.check import Report
    from pipelines.export import ExportOptions, ExportResult
    from pipelines.spark.builder import SparkBuilder


def run_all(
    settings: Settings,
    options: "ExportOptions",
    *,
    strict: bool,
    console: Console | None,
    on_wait: OnWait | None = None,
) -> Outcome:
    """Load, build, check and export, and write a report if the settings say so.

    Readers see the warehouse of the last run until all checks are done. If a step fails, that warehouse is unchanged.
    The warehouse stays reserved until the exports and the report are written, so they always describe its tables.

    Raises:
        StudyflowError: a step failed; later steps were not started.
    """
    notes = check_project(settings)
    _check_destinations(settings)
    with reserved(settings, on_wait):
        if settings.engine == "spark":
            spark_builder(settings).clean_up()
        outcome = None if strict else _outcome_if_nothing_new(settings)
        if outcome is None:
            with copied(settings) as copy:
                outcome = _load_build_check(copy, strict=strict, console=console)
            outcome.settings = replace(outcome.settings, database=settings.database, working_copy_of=None)
            if settings.engine == "spark":
                spark_builder(settings).clean_up()
        outcome.notes = notes
        with _timed(outcome, "export") as details, _spinner(console, "Exporting"):
            outcome.exported = export_tables(outcome.settings, options)
            details.update({"wrote": outcome.exported.wrote, "files": len(outcome.exported.files)})
        with reading(settings.database) as connection:
            outcome.summary = summarise(connection, settings.database)
            if settings.reports_kept:
                from pipelines.report import file_report  # noqa: PLC0415 - takes a second

                with _timed(outcome, "report") as details:
                    outcome.reported = file_report(connection, settings.reports, settings.reports_kept)
                    details.update(outcome.reported.as_dict())
    return outcome


def check_project(settings: Settings) -> list[str]:
    """Validate the vars and the reference files; return a note on each entry that may be a mistake.

    Raises:
        StudyflowError: a var in dbt_project.yml or an entry in a reference file is invalid.
    """
    read_vars()
    sheets = read_reference_files(settings.studies_file, settings.people_file)
    return [note for sheet in sheets.values() for note in sheet.notes]


def _check_destinations(settings: Settings) -> None:
    """Check before the run starts that the exports and reports can be written to their folders.

    Raises:
        StudyflowError: one of the folders cannot be used.
    """
    from pipelines.export.destination import check_destination  # noqa: PLC0415

    check_destination(settings.exports, [settings.database, *(path for path in settings.raw if isinstance(path, Path))])
    if settings.reports_kept:
        from pipelines.report.archive import check_folder  # noqa: PLC0415 - takes a second

        check_folder(settings.reports)


def _outcome_if_nothing_new(settings: Settings) -> Outcome | None:
    """The outcome if all files are loaded and the tables are up to date and passed their checks; else None."""
    if not settings.database.exists() or wal_of(settings.database).exists():
        return None
    start = time.perf_counter()
    with connect(settings.database, read_only=True) as connection:
        _refuse_mixing(connection, settings)
        loaded = result_if_nothing_new(connection, settings.raw)
        if loaded:
            _refuse_empty(connection, loaded)
        build = up_to_date(connection, settings) if loaded else None
        if build is None or not was_checked(connection, build.build_id):
            return None
    logs.log("nothing new", as_of=build.as_of)
    seconds = time.perf_counter() - start
    return Outcome(replace(settings, as_of=build.as_of), {"look": seconds}, loaded, build, "nothing")


def _load_build_check(settings: Settings, *, strict: bool, console: Console | None) -> Outcome:
    outcome = Outcome(settings)
    on_spark = spark_builder(settings) if settings.engine == "spark" else None
    with on_spark or Builder(settings) as builder:
        with _timed(outcome, "load") as details:
            outcome.loaded = load_files(settings, console, on_spark.loader.load if on_spark else load)
            details.update(outcome.loaded.as_dict())
            with connect(settings.database) as connection:
                _refuse_empty(connection, outcome.loaded)
        with _timed(outcome, "build") as details, _spinner(console, "Building the tables"):
            _build_if_needed(outcome, builder)
            details.update({"built": outcome.built})
    with _timed(outcome, "check") as details, _spinner(console, "Checking"):
        outcome.report = _check_unless_done(outcome, strict=strict)
        details.update({"ok": outcome.report is None or outcome.report.ok})
    return outcome


def spark_builder(settings: Settings) -> "SparkBuilder":
    """The builder for Spark. pyspark is an optional dependency, so it is imported only here."""
    from pipelines.spark.builder import SparkBuilder  # noqa: PLC0415

    return SparkBuilder(settings)


def _refuse_empty(connection: duckdb.DuckDBPyConnection, loaded: LoadResult) -> None:
    """Stop before empty tables, exports and reports replace those that a team has.

    Raises:
        StudyflowError: the run found no file, or no line was ever loaded.
    """
    if loaded.files_found and is_anything_loaded(connection):
        return
    unchanged = "Nothing was built. The warehouse, the exports and the reports are as they were."
    raise StudyflowError("\n".join([*map(str, loaded.failures), unchanged]))


def _build_if_needed(outcome: Outcome, builder: "Builder | SparkBuilder") -> None:
    """Build the tables, unless they are up to date."""
    settings = outcome.settings
    with connect(settings.database) as connection:
        outcome.build = up_to_date(connection, settings)
    if outcome.build:
        outcome.built = "nothing"
        outcome.settings = replace(settings, as_of=outcome.build.as_of)
        return
    preparation = Thread(target=_prepare_check, daemon=True)
    preparation.start()
    builder.build()
    preparation.join()
    with connect(settings.database) as connection:
        outcome.build = last_build(connection)
    outcome.built = "all" if outcome.build is None or outcome.build.is_whole else "touched"


def _check_unless_done(outcome: Outcome, *, strict: bool) -> "Report | None":
    """Check all tables, unless this build has already passed its checks."""
    if outcome.built == "nothing" and outcome.build and not strict:
        with connect(outcome.settings.database) as connection:
            if was_checked(connection, outcome.build.build_id):
                return None
    return check_copy(outcome.settings, strict=strict)


def load_files(
    settings: Settings,
    console: Console | None,
    loads: Callable[..., LoadResult] = load,
) -> LoadResult:
    """Load the raw files with the function `loads`.

    Raises:
        StudyflowError: this would mix the sample with a team's own webhooks.
    """
    with connect(settings.database) as connection, progress_bar(console, "Loading", "bytes") as show_progress:
        _refuse_mixing(connection, settings)
        return loads(connection, settings.raw, show_progress)


def build_tables(settings: Settings) -> int:
    """Build every seed and model; return how many.

    Raises:
        StudyflowError: nothing was ever loaded, or a model failed.
    """
    from pipelines.build import build  # noqa: PLC0415 - takes seconds

    with connect(settings.database) as connection:
        if not is_anything_loaded(connection):
            msg = f"{settings.warehouse}: nothing has been loaded yet. Load webhooks first: studyflow run --raw PATH"
            raise StudyflowError(msg)
    return build(settings)


def check_tables(settings: Settings, *, strict: bool, as_of_must_match: bool, on_wait: OnWait | None) -> "Report":
    """Check all tables. If a check fails, record that in the warehouse, so that the next build is a full one.

    Raises:
        StudyflowError: the tables have not been built, or not as of the time in the settings if that must match.
    """
    from pipelines.check import check  # noqa: PLC0415 - takes a second

    with connect(settings.database, read_only=True) as connection:
        built = _require_built(connection, settings.as_of if as_of_must_match else None)
        build = last_build(connection)
        report = check(connection, built, strict=strict)
        settings = replace(settings, engine=engine_of(connection) or settings.engine)
    if build and report.failures:
        with working_copy(settings, on_wait) as copy, connect(copy.database) as connection:
            if last_build(connection) == build:
                record_check(connection, build.build_id, report)
    return report


def check_copy(settings: Settings, *, strict: bool) -> "Report":
    """Check all tables of a working copy, and record the result in it."""
    from pipelines.check import check  # noqa: PLC0415 - takes a second

    with connect(settings.database) as connection:
        report = check(connection, _require_built(connection, settings.as_of), strict=strict)
        if build := last_build(connection):
            record_check(connection, build.build_id, report)
        return report


def export_tables(settings: Settings, options: "ExportOptions", *, as_of_must_match: bool = True) -> "ExportResult":
    """Write the stage tables and lists into the exports folder.

    Raises:
        StudyflowError: the tables have not been built, or not as of the time in the settings if that must match; or the
            export would drop most rows of the last one.
    """
    from pipelines.export import export  # noqa: PLC0415
    from pipelines.export.destination import refuse_to_drop_most  # noqa: PLC0415

    with connect(settings.database, read_only=True) as connection:
        _require_built(connection, settings.as_of if as_of_must_match else None)
        if not options.force:
            refuse_to_drop_most(connection, settings.exports)
        return export(connection, settings.exports, options)


def _require_built(connection: duckdb.DuckDBPyConnection, wanted: datetime | None) -> datetime:
    """The as-of of the tables, which must have been built, and as of `wanted` if that is given."""
    built = built_as_of(connection)
    if built is None:
        msg = (
            "The tables have not been built yet. Build them with studyflow build, or do everything with studyflow run."
        )
        raise StudyflowError(msg)
    if wanted not in {None, built}:
        msg = f"The tables have data as of {built:%Y-%m-%dT%H:%M:%SZ}. Build them as of {wanted:%Y-%m-%dT%H:%M:%SZ} first."
        raise StudyflowError(msg)
    return built


def settings_for_loaded_data(database: Path | None, as_of: str | None) -> Settings:
    """The settings for tables of what is already loaded. The sample's settings apply only if nothing else is loaded."""
    variables = read_vars()
    as_of = requested_as_of(as_of, variables)
    settings = resolve(database=database, as_of=as_of)
    if settings.database.exists():
        with connect(settings.database, read_only=True) as connection:
            _, of_team = sample_and_team_files(connection)
        if of_team:
            settings = resolve(database=database, as_of=as_of, may_be_sample=False)
    return with_named_files(settings, variables)


def _refuse_mixing(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    of_sample, of_team = sample_and_team_files(connection)
    if settings.raw == (SAMPLE,) and of_team:
        msg = (
            f"{settings.warehouse} has your own webhooks, and without --raw the sample would be added to them. "
            "Name your files with --raw or STUDYFLOW_RAW, or choose another --database."
        )
        raise StudyflowError(msg)
    if of_sample and not any(isinstance(path, Path) and path.is_relative_to(SAMPLE) for path in settings.raw):
        msg = (
            f"{settings.warehouse} has the sample, and your webhooks would be added to it. "
            "Delete that file, or choose another --database."
        )
        raise StudyflowError(msg)


def _prepare_check() -> None:
    """Import and read what the check needs. This takes a second, so it is done while dbt builds in its own process."""
    from pipelines.check import prepare  # noqa: PLC0415

    prepare()


@contextmanager
def _timed(outcome: Outcome, step: str) -> Iterator[dict[str, object]]:
    """Time a step and log it, with the details that the block puts into the dictionary."""
    details: dict[str, object] = {}
    start = time.perf_counter()
    yield details
    outcome.steps[step] = time.perf_counter() - start
    logs.log("step finished", step=step, seconds=round(outcome.steps[step], 3), **details)


def _spinner(console: Console | None, what: str) -> AbstractContextManager[object]:
    return console.status(what) if console else nullcontext()
