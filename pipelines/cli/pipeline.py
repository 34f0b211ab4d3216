"""The commands that run the pipeline or a step of it: run, load, build, check, export."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines import logs
from pipelines.cli.app import (
    AsJson,
    AsOf,
    BuiltAsOf,
    ByStudy,
    Database,
    Engine,
    Excel,
    Exports,
    Force,
    LogJson,
    Parquet,
    Pseudonymise,
    Raw,
    Reports,
    SparkFolder,
    Strict,
    Wait,
    Xlsx,
    app,
    export_options,
    print_lines,
    print_problems,
    print_result,
    progress_console,
    setting,
    show_waiting,
)
from pipelines.cli.chat import Chat, ChatCommand, failures_posted, post_outcome
from pipelines.errors import ExitCode
from pipelines.plain import plain
from pipelines.settings import (
    REPORTS,
    REPORTS_KEPT,
    WAIT_SECONDS,
    requested_as_of,
    resolve,
    with_named_files,
)

Report = Annotated[
    bool, typer.Option("--report", help="Also write the day's report, and an index of all reports that are kept.")
]
Keep = Annotated[int, setting("keep", "How many days of reports to keep.", min=1, metavar="N")]


@app.command(cls=ChatCommand)
def run(
    raw: Raw = None,
    database: Database = None,
    exports: Exports = None,
    as_of: AsOf = None,
    by_study: ByStudy = False,
    parquet: Parquet = False,
    xlsx: Xlsx = False,
    excel: Excel = False,
    pseudonymise: Pseudonymise = False,
    force: Force = False,
    report: Report = False,
    reports: Reports = None,
    keep: Keep = REPORTS_KEPT,
    chat: Chat = None,
    engine: Engine = "duckdb",
    spark_folder: SparkFolder = None,
    strict: Strict = False,
    wait: Wait = WAIT_SECONDS,
    log_json: LogJson = False,
    as_json: AsJson = False,
) -> None:
    """Load, build, check and export, then print a summary."""
    logs.configure(as_json=log_json)
    with failures_posted(chat):
        from pipelines.run import run_all
        from pipelines.variables import read_vars

        project_vars = read_vars()
        settings = replace(
            with_named_files(resolve(raw, database, exports, requested_as_of(as_of, project_vars)), project_vars),
            reports=(reports or REPORTS).absolute(),
            reports_kept=keep if report else None,
            wait_seconds=wait,
            engine=engine,
            spark_folder=spark_folder and spark_folder.absolute(),
        )
        logs.log("run started", database=settings.database, exports=settings.exports, raw=list(map(str, settings.raw)))
        options = export_options(
            by_study=by_study, parquet=parquet, workbook=xlsx, excel=excel, pseudonymise=pseudonymise, force=force
        )
        outcome = run_all(settings, options, strict=strict, console=progress_console(as_json), on_wait=show_waiting)
    code = outcome.exit_code
    if chat and not post_outcome(outcome, chat):
        code = ExitCode.FAILED
    print_result(as_json, outcome.as_dict, outcome.render)
    print_problems(*outcome.problems)
    logs.log("run finished", exit_code=int(code), as_of=outcome.settings.as_of)
    raise typer.Exit(code)


@app.command()
def load(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Webhook files, folders or globs, on disk or in an object store (s3://, gs://, az://). "
            "Default: what --raw names.",
            metavar="PATH…",
        ),
    ] = None,
    raw: Raw = None,
    database: Database = None,
    wait: Wait = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Read new lines of webhook files into the warehouse."""
    from pipelines.ask.warehouse import reading
    from pipelines.run import check_project, load_files
    from pipelines.summary import render, summarise
    from pipelines.variables import read_vars
    from pipelines.working_copy import working_copy

    settings = replace(with_named_files(resolve(paths or raw, database), read_vars()), wait_seconds=wait)
    notes = check_project(settings)
    with working_copy(settings, show_waiting) as copy:
        loaded = load_files(copy, progress_console(as_json))
    with reading(settings.database) as connection:
        summary = summarise(connection, settings.database)

    def show(console: Console) -> None:
        console.print(loaded.sentence(), *map(plain, notes), sep="\n", highlight=False, soft_wrap=True)
        render(summary, console)

    print_result(as_json, lambda: {"loaded": loaded.as_dict(), "notes": notes, **summary.as_dict()}, show)
    print_problems(*loaded.failures)
    raise typer.Exit(ExitCode.FAILED if loaded.failures else ExitCode.DONE)


@app.command()
def build(database: Database = None, as_of: AsOf = None, wait: Wait = WAIT_SECONDS) -> None:
    """Build every table from the loaded lines (`dbt build` without its tests)."""
    from pipelines.run import build_tables, check_project, settings_for_loaded_data
    from pipelines.working_copy import working_copy

    settings = replace(settings_for_loaded_data(database, as_of), wait_seconds=wait)
    notes = check_project(settings)
    with working_copy(settings, show_waiting) as copy:
        count = build_tables(copy)
    print_lines(*map(plain, notes), f"{count} tables built in {settings.database}")


@app.command()
def check(
    database: Database = None,
    as_of: BuiltAsOf = None,
    strict: Strict = False,
    wait: Wait = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Check all tables, and list each failed check with the rows that fail it. The exit code is 3 if any check failed."""
    from pipelines.check import as_dict, render
    from pipelines.run import check_tables

    settings = replace(resolve(database=database, as_of=as_of), wait_seconds=wait)
    report = check_tables(settings, strict=strict, as_of_must_match=as_of is not None, on_wait=show_waiting)
    print_result(as_json, lambda: as_dict(report), lambda console: render(report, console))
    raise typer.Exit(ExitCode.DONE if report.ok else ExitCode.CHECKS_FAILED)


@app.command()
def export(
    database: Database = None,
    as_of: BuiltAsOf = None,
    exports: Exports = None,
    by_study: ByStudy = False,
    parquet: Parquet = False,
    xlsx: Xlsx = False,
    excel: Excel = False,
    pseudonymise: Pseudonymise = False,
    force: Force = False,
) -> None:
    """Write CSV files: one for each of Rally's stages; one with all participants; and lists to work from, like to_pay.csv."""
    from pipelines.run import export_tables

    settings = resolve(database=database, exports=exports, as_of=as_of)
    options = export_options(
        by_study=by_study, parquet=parquet, workbook=xlsx, excel=excel, pseudonymise=pseudonymise, force=force
    )
    exported = export_tables(settings, options, as_of_must_match=as_of is not None)
    print_lines(f"{len(exported.files)} files in {settings.exports}")
