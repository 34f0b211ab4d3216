"""`studyflow run`: load, build, check, export, in this order, and what came of it."""

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
from pipelines.load.loaded import Loaded
from pipelines.load.loader import load, nothing_new
from pipelines.outcome import Outcome
from pipelines.progress import progress_bar
from pipelines.reference import read_reference_files
from pipelines.settings import SAMPLE, Settings, as_of_asked_for, resolve, with_named_files
from pipelines.state import (
    built_as_of,
    engine_of,
    is_anything_loaded,
    last_build,
    record_checked,
    sample_and_team_files,
    up_to_date,
    was_checked,
)
from pipelines.summary import summarise
from pipelines.variables import read_vars
from pipelines.warehouse import connect, wal_of
from pipelines.working_copy import Waiting, copied, reserved, working_copy

if TYPE_CHECKING:
    from pipelines.check import Report
    from pipelines.export import Exported, ExportOptions
    from pipelines.spark.builder import SparkBuilder


def run_all(
    settings: Settings,
    options: "ExportOptions",
    *,
    strict: bool,
    console: Console | None,
    waiting: Waiting | None = None,
) -> Outcome:
    """Load, build, check and export, and report if the settings say so.

    Until the checks have ended, others see the warehouse of the last run. What fails leaves that as it was. No other
    run begins before all is done, so that the files it leaves are of its own tables.

    Raises:
        StudyflowError: a step could not be done; the later ones have not been tried.
    """
    notes = check_project(settings)
    _check_places(settings)
    with reserved(settings, waiting):
        if settings.engine == "spark":
            spark_builder(settings).tidy()
        outcome = None if strict else _nothing_to_do(settings)
        if outcome is None:
            with copied(settings) as copy:
                outcome = _load_build_check(copy, strict=strict, console=console)
            outcome.settings = replace(outcome.settings, database=settings.database, named=None)
            if settings.engine == "spark":
                spark_builder(settings).tidy()
        outcome.notes = notes
        with _timed(outcome, "export") as of_export, _saying(console, "Exporting"):
            outcome.exported = export_tables(outcome.settings, options)
            of_export.update({"wrote": outcome.exported.wrote, "files": len(outcome.exported.files)})
        with reading(settings.database) as connection:
            outcome.summary = summarise(connection, settings.database)
        if settings.reports_kept:
            report_on(outcome, settings.reports_kept)
    return outcome


def check_project(settings: Settings) -> list[str]:
    """See that what users edit is right, before anything is done with it. Sentences on what may not be meant.

    Raises:
        StudyflowError: a var of dbt_project.yml or something in a reference file cannot be right.
    """
    read_vars()
    sheets = read_reference_files(settings.studies_file, settings.people_file)
    return [note for sheet in sheets.values() for note in sheet.notes]


def _check_places(settings: Settings) -> None:
    """Find out before anything is done whether the files of the run can go where they are to go.

    Raises:
        StudyflowError: one cannot.
    """
    from pipelines.export.place import usable  # noqa: PLC0415

    usable(settings.exports, [settings.database, *(path for path in settings.raw if isinstance(path, Path))])
    if settings.reports_kept:
        from pipelines.report.archive import check_folder  # noqa: PLC0415 - takes a second

        check_folder(settings.reports)


def report_on(outcome: Outcome, keep: int) -> None:
    """Put the day's report into the folder of reports, and remove all but the last `reports_kept`."""
    from pipelines.report import file_report  # noqa: PLC0415 - takes a second

    with _timed(outcome, "report") as of_report, reading(outcome.settings.database) as connection:
        outcome.reported = file_report(connection, outcome.settings.reports, keep)
        of_report.update(outcome.reported.as_dict())


def _nothing_to_do(settings: Settings) -> Outcome | None:
    """The outcome where the warehouse is as a run would make it: all loaded, built and found right."""
    if not settings.database.exists() or wal_of(settings.database).exists():
        return None
    start = time.perf_counter()
    with connect(settings.database, read_only=True) as connection:
        _refuse_mixing(connection, settings)
        loaded = nothing_new(connection, settings.raw)
        if loaded:
            _refuse_nothing(connection, loaded)
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
        with _timed(outcome, "load") as of_load:
            loads = on_spark.loader.load if on_spark else load
            outcome.loaded = load_files(settings, console, meanwhile=builder.start, loads=loads)
            of_load.update(outcome.loaded.as_dict())
            with connect(settings.database) as connection:
                _refuse_nothing(connection, outcome.loaded)
        with _timed(outcome, "build") as of_build, _saying(console, "Building the tables"):
            _build_what_is_new(outcome, builder)
            of_build.update({"built": outcome.built})
    with _timed(outcome, "check") as of_check, _saying(console, "Checking"):
        outcome.report = _check_unless_done(outcome, strict=strict)
        of_check.update({"ok": outcome.report is None or outcome.report.ok})
    return outcome


def spark_builder(settings: Settings) -> "SparkBuilder":
    """What builds on Spark, which is an optional part of the installation."""
    from pipelines.spark.builder import SparkBuilder  # noqa: PLC0415

    return SparkBuilder(settings)


def _refuse_nothing(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> None:
    """Stop before tables, exports and reports of nothing take the place of what a team has.

    Raises:
        StudyflowError: the run found no file, or no line was ever loaded.
    """
    if loaded.files_found and is_anything_loaded(connection):
        return
    unchanged = "Nothing was built. The warehouse, the exports and the reports are as they were."
    raise StudyflowError("\n".join([*map(str, loaded.failures), unchanged]))


def _build_what_is_new(outcome: Outcome, builder: "Builder | SparkBuilder") -> None:
    """Build, unless that would make the tables that are there."""
    settings = outcome.settings
    with connect(settings.database) as connection:
        outcome.build = up_to_date(connection, settings)
    if outcome.build:
        outcome.built = "nothing"
        outcome.settings = replace(settings, as_of=outcome.build.as_of)
        return
    ahead = Thread(target=_prepare_check, daemon=True)
    ahead.start()
    builder.build()
    ahead.join()
    with connect(settings.database) as connection:
        outcome.build = last_build(connection)
    outcome.built = "all" if outcome.build is None or outcome.build.is_whole else "touched"


def _check_unless_done(outcome: Outcome, *, strict: bool) -> "Report | None":
    """Check everything, unless these very tables were found right before."""
    if outcome.built == "nothing" and outcome.build and not strict:
        with connect(outcome.settings.database) as connection:
            if was_checked(connection, outcome.build.build_id):
                return None
    return check_copy(outcome.settings, strict=strict)


def load_files(
    settings: Settings,
    console: Console | None,
    meanwhile: Callable[[], None] | None = None,
    loads: Callable[..., Loaded] = load,
) -> Loaded:
    """Load the raw files, unless that would mix the sample with a team's own webhooks.

    `meanwhile` is called once there is anything to read. `loads`: where else than in this process they are read.
    """
    with connect(settings.database) as connection, progress_bar(console, "Loading", "bytes") as moved:
        _refuse_mixing(connection, settings)
        waiting = [meanwhile] if meanwhile else []

        def progress(done: int, total: int) -> None:
            while waiting:
                waiting.pop()()
            moved(done, total)

        return loads(connection, settings.raw, progress)


def build_tables(settings: Settings) -> int:
    """Build every seed and model; how many.

    Raises:
        StudyflowError: nothing was ever loaded, or a model failed.
    """
    from pipelines.build import build  # noqa: PLC0415 - takes seconds

    with connect(settings.database) as connection:
        if not is_anything_loaded(connection):
            msg = f"{settings.warehouse}: nothing has been loaded yet. Load webhooks first: studyflow run --raw PATH"
            raise StudyflowError(msg)
    return build(settings)


def check_tables(settings: Settings, *, strict: bool, as_of_must_match: bool, waiting: Waiting | None) -> "Report":
    """Check all tables; they must be there, and as of the time of the settings if that must match.

    Tables that are found wrong are marked, so that the next build makes everything anew; else nothing is written.
    """
    from pipelines.check import check  # noqa: PLC0415 - takes a second

    with connect(settings.database, read_only=True) as connection:
        built = _built_as_of(connection, settings.as_of if as_of_must_match else None)
        build = last_build(connection)
        report = check(connection, built, strict=strict)
        settings = replace(settings, engine=engine_of(connection) or settings.engine)
    if build and report.failures:
        with working_copy(settings, waiting) as copy, connect(copy.database) as connection:
            if last_build(connection) == build:
                _record_checked(connection, report, build.build_id)
    return report


def check_copy(settings: Settings, *, strict: bool) -> "Report":
    """Check all tables of a working copy, and note there what came of it."""
    from pipelines.check import check  # noqa: PLC0415 - takes a second

    with connect(settings.database) as connection:
        report = check(connection, _built_as_of(connection, settings.as_of), strict=strict)
        if build := last_build(connection):
            _record_checked(connection, report, build.build_id)
        return report


def _record_checked(connection: duckdb.DuckDBPyConnection, report: "Report", build_id: int) -> None:
    record_checked(connection, build_id, ok=not report.failures, may_build_on=report.may_build_on)


def export_tables(settings: Settings, options: "ExportOptions", *, as_of_must_match: bool = True) -> "Exported":
    """Write the stage tables into the exports folder; the marts must have been built."""
    from pipelines.export import export  # noqa: PLC0415
    from pipelines.export.dropping import refuse_to_drop_most  # noqa: PLC0415

    with connect(settings.database, read_only=True) as connection:
        _built_as_of(connection, settings.as_of if as_of_must_match else None)
        if not options.force:
            refuse_to_drop_most(connection, settings.exports)
        return export(
            connection,
            settings.exports,
            formats=options.formats,
            by_study=options.by_study,
            pseudonyms=options.pseudonyms,
            for_excel=options.excel,
        )


def _built_as_of(connection: duckdb.DuckDBPyConnection, wanted: datetime | None) -> datetime:
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


def settings_of_loaded(database: Path | None, as_of: str | None) -> Settings:
    """The settings for building what is loaded already: the sample's own only where nothing but the sample is."""
    said = read_vars()
    as_of = as_of_asked_for(as_of, said)
    settings = resolve(database=database, as_of=as_of)
    if settings.database.exists():
        with connect(settings.database, read_only=True) as connection:
            _, of_team = sample_and_team_files(connection)
        if of_team:
            settings = resolve(database=database, as_of=as_of, may_be_sample=False)
    return with_named_files(settings, said)


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
    """Pay for what the check imports and reads while another process builds."""
    from pipelines.check import prepare  # noqa: PLC0415

    prepare()


@contextmanager
def _timed(outcome: Outcome, step: str) -> Iterator[dict[str, object]]:
    """Measure a step, and log it with what it puts into the dictionary."""
    found: dict[str, object] = {}
    start = time.perf_counter()
    yield found
    outcome.steps[step] = time.perf_counter() - start
    logs.log("step finished", step=step, seconds=round(outcome.steps[step], 3), **found)


def _saying(console: Console | None, what: str) -> AbstractContextManager[object]:
    return console.status(what) if console else nullcontext()
