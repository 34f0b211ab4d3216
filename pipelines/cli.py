"""The `studyflow` command: reads what a person types, calls the part that does it, shows what came of it."""

import json
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipelines.errors import ExitCode, StudyflowError
from pipelines.settings import resolve

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Rally UXR participant webhooks into stage tables: where everyone stands, every line accounted for.",
)
output = Console()
messages = Console(stderr=True)


def _instant(text: str) -> str:
    from pipelines.settings import parse_instant

    try:
        parse_instant(text)
    except StudyflowError as error:
        raise typer.BadParameter(str(error)) from error
    return text


Raw = Annotated[
    list[Path] | None,
    typer.Option(
        "--raw", envvar="STUDYFLOW_RAW", help="Webhook files, folders or globs; may be repeated. Default: the sample."
    ),
]
Database = Annotated[Path | None, typer.Option("--database", envvar="STUDYFLOW_DATABASE", help="The DuckDB warehouse.")]
Exports = Annotated[
    Path | None, typer.Option("--exports", envvar="STUDYFLOW_EXPORTS", help="The folder for exported tables.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        envvar="STUDYFLOW_AS_OF",
        callback=lambda value: value and _instant(value),
        help="The moment the tables speak for, like 2026-07-31T18:00:00Z. Default: now.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]
Strict = Annotated[bool, typer.Option("--strict", help="Rejected lines make the checks fail.")]
ByStudy = Annotated[bool, typer.Option("--by-study", help="Also a folder for each study.")]
Parquet = Annotated[bool, typer.Option("--parquet", help="Also Parquet files beside the CSV files.")]


class Compression(StrEnum):
    """How generated files are packed."""

    none = "none"
    gzip = "gzip"
    zstd = "zstd"


@app.command()
def run(
    raw: Raw = None,
    database: Database = None,
    exports: Exports = None,
    as_of: AsOf = None,
    by_study: ByStudy = False,
    parquet: Parquet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Load, build, check and export, then say what came of it. Without --raw it works on the sample."""
    from pipelines.run import run_all

    settings = resolve(raw, database, exports, as_of)
    outcome = run_all(settings, by_study=by_study, parquet=parquet, strict=strict, console=_progress_console(as_json))
    if as_json:
        _print_json(outcome.as_dict())
    else:
        outcome.render(output)
    _complain(*outcome.problems)
    raise typer.Exit(outcome.exit_code)


@app.command()
def load(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Webhook files, folders or globs.", metavar="PATH…")
    ] = None,
    raw: Raw = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Read webhook files into the warehouse: what is new in them, each line accounted for."""
    from pipelines.run import load_files
    from pipelines.summary import render, summarise
    from pipelines.warehouse import connect

    settings = resolve(paths or raw, database)
    loaded = load_files(settings, _progress_console(as_json))
    with connect(settings.database) as connection:
        summary = summarise(connection, settings.database)
    if as_json:
        _print_json({"loaded": loaded.as_dict(), **summary.as_dict()})
    else:
        output.print(loaded.sentence())
        render(summary, output)
    _complain(*loaded.problems)
    raise typer.Exit(ExitCode.FAILED if loaded.problems else ExitCode.DONE)


@app.command()
def build(database: Database = None, as_of: AsOf = None) -> None:
    """Build every table from what is loaded (the same as `dbt build` without its tests)."""
    from pipelines.run import build_tables, settings_of_loaded

    settings = settings_of_loaded(database, as_of)
    made = build_tables(settings)
    output.print(f"{made} tables built in {settings.database}", highlight=False, soft_wrap=True)


@app.command()
def check(database: Database = None, as_of: AsOf = None, strict: Strict = False, as_json: AsJson = False) -> None:
    """Check the staged changes and the marts; list every failure with its rows. Exit code 3 if there is any."""
    from pipelines.check import as_dict, render
    from pipelines.run import check_tables

    report = check_tables(resolve(database=database, as_of=as_of), strict=strict, as_of_must_match=as_of is not None)
    if as_json:
        _print_json(as_dict(report))
    else:
        render(report, output)
    raise typer.Exit(ExitCode.DONE if report.ok else ExitCode.CHECKS_FAILED)


@app.command()
def export(
    database: Database = None,
    as_of: AsOf = None,
    exports: Exports = None,
    by_study: ByStudy = False,
    parquet: Parquet = False,
) -> None:
    """Write one CSV file per stage, as the tables in Rally, and participants.csv."""
    from pipelines.run import export_tables

    settings = resolve(database=database, exports=exports, as_of=as_of)
    exported = export_tables(settings, by_study=by_study, parquet=parquet, as_of_must_match=as_of is not None)
    output.print(f"{len(exported.files)} files in {settings.exports}", highlight=False, soft_wrap=True)


@app.command()
def status(database: Database = None, as_json: AsJson = False) -> None:
    """Show what is loaded now and where everyone stands."""
    from pipelines.summary import render, summarise
    from pipelines.warehouse import connect

    settings = resolve(database=database)
    with connect(settings.database, read_only=True) as connection:
        summary = summarise(connection, settings.database)
    if as_json:
        _print_json(summary.as_dict())
    else:
        render(summary, output)


@app.command()
def reconcile(
    study: Annotated[str, typer.Option("--study", help="The study's id.")],
    completed: Annotated[
        Path, typer.Option("--completed", help="A CSV file of who finished: participant or person ids.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write the outcome for each id to this CSV file.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Compare a survey tool's list of who finished with a study: who should be moved to completed in Rally."""
    from pipelines.reconcile import reconcile as compare
    from pipelines.reconcile_view import as_dict, render
    from pipelines.warehouse import connect

    with connect(resolve(database=database).database, read_only=True) as connection:
        compared = compare(connection, study, completed, out)
    if as_json:
        _print_json(as_dict(compared))
    else:
        render(compared, output)


@app.command()
def generate(
    out: Annotated[Path, typer.Argument(help="A folder, or one file that ends in .jsonl, .ndjson, .gz or .zst.")],
    participants: Annotated[int, typer.Option(help="How many participants; about five lines each.")] = 1000,
    studies: Annotated[int, typer.Option(help="How many studies.")] = 8,
    days: Annotated[int, typer.Option(help="Over how many days.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed makes the same bytes.")] = 1,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day.")] = datetime(2026, 6, 1),  # noqa: DTZ001
    duplicates: Annotated[float, typer.Option(help="Share of lines that are delivered again.")] = 0.05,
    late: Annotated[float, typer.Option(help="Share of lines that come after later ones.")] = 0.03,
    lost: Annotated[float, typer.Option(help="Share of changes that never arrive.")] = 0.01,
    malformed: Annotated[float, typer.Option(help="Share of lines that are damaged copies.")] = 0.01,
    files: Annotated[int, typer.Option(help="In how many files.")] = 1,
    compression: Annotated[Compression, typer.Option(help="How the files are packed.")] = Compression.none,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Make webhook files true to Rally, for trying things out and for tests."""
    from pipelines.generate import Recipe
    from pipelines.generate import generate as make
    from pipelines.progress import progress_bar

    try:
        recipe = Recipe(
            participants=participants,
            studies=studies,
            days=days,
            seed=seed,
            start=start.date(),
            duplicates=duplicates,
            late=late,
            lost=lost,
            malformed=malformed,
        )
        with progress_bar(messages, "Generating", "participants") as moved:
            made = make(
                recipe,
                out,
                files=files,
                compression=compression.value,
                overwrite=overwrite,
                progress=lambda done: moved(done, participants),
            )
    except FileExistsError as error:
        msg = f"{error}. Say --overwrite to replace them."
        raise StudyflowError(msg) from error
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror})."
        raise StudyflowError(msg) from error
    output.print(
        f"{made.lines:,} lines of {made.participants:,} participants in {len(made.files)} files under {out}",
        highlight=False,
        soft_wrap=True,
    )


def _progress_console(as_json: bool) -> Console | None:
    return None if as_json or not messages.is_terminal else messages


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def _complain(*problems: StudyflowError) -> None:
    for problem in problems:
        messages.print(f"studyflow: {problem}", style="red", highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Run the command and end with its exit code; what goes wrong is said in a sentence, never a traceback."""
    try:
        app()
    except StudyflowError as error:
        _complain(error)
        sys.exit(ExitCode.FAILED)
