"""The application that every command belongs to, the options they share, and how they speak."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from pipelines import logs
from pipelines.errors import ExitCode, SourceError, StudyflowError
from pipelines.plain import plain
from pipelines.streams import Terminal, ignore_write_errors, quiet_when_closed

if TYPE_CHECKING:
    from pipelines.export import ExportOptions

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Load Rally UXR webhooks into DuckDB, build and check tables, and write exports and reports.",
)
output = Terminal()
messages = Terminal(stderr=True)


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn an error about the value of an option into wrong usage that names the option."""
    try:
        yield
    except StudyflowError as error:
        raise typer.BadParameter(str(error)) from error


def _instant(text: str) -> str:
    from pipelines.settings import parse_as_of

    with usage_errors():
        moment = parse_as_of(text)
    if moment > datetime.now(UTC):
        _say("warning", f"{text} is in the future: ages and overdue debts include time that has not passed yet.")
    return text


def setting(name: str, meaning: str, **more: Any) -> Any:  # noqa: ANN401 - as typer has it
    """An option that a variable of the environment can say, too."""
    return typer.Option(f"--{name}", envvar=f"STUDYFLOW_{name.upper().replace('-', '_')}", help=meaning, **more)


Raw = Annotated[
    list[Path] | None,
    setting(
        "raw",
        "Webhook files, folders or globs, on disk or in an object store (s3://, gs://, az://). May be repeated. "
        "Default: data/raw of the workspace; without a workspace, the sample.",
    ),
]
Database = Annotated[Path | None, setting("database", "The DuckDB warehouse. Default: data/studyflow.duckdb.")]
Engine = Annotated[
    Literal["duckdb", "spark"],
    setting("engine", "What loads the webhooks and builds the tables. For spark, see docs/spark.md."),
]
SparkFolder = Annotated[
    Path | None,
    setting("spark-folder", "The folder for Spark's tables. Default: the path of the warehouse with .spark appended."),
]
Exports = Annotated[Path | None, setting("exports", "The folder for exported tables. Default: data/exports.")]
Reports = Annotated[Path | None, setting("reports", "The folder for reports. Default: data/reports.")]
AsOf = Annotated[
    str | None,
    setting(
        "as-of",
        "Use data as of this time, e.g. 2026-07-31T18:00:00Z. Default: now.",
        callback=lambda value: value and _instant(value),
    ),
]
Wait = Annotated[
    float,
    setting("wait", "How long to wait for another run on the same warehouse.", min=0, metavar="SECONDS"),
]
LogJson = Annotated[bool, setting("log-json", "Write steps and problems as JSON lines to standard error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]
Strict = Annotated[bool, typer.Option("--strict", help="Fail the checks if lines were rejected.")]
ByStudy = Annotated[bool, typer.Option("--by-study", help="Also write a folder for each study.")]
Parquet = Annotated[bool, typer.Option("--parquet", help="Also write Parquet files.")]
Xlsx = Annotated[
    bool, typer.Option("--xlsx", help="Also write a workbook, studyflow.xlsx, with a sheet for each stage and mart.")
]
Excel = Annotated[
    bool,
    typer.Option(
        "--excel",
        help="Format CSV files for spreadsheets: times without a zone (UTC), amounts like 12.50 instead of cents, a byte-order mark.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Export even if this drops more than half of the participants in the previous export."
    ),
]
Pseudonymise = Annotated[
    bool,
    setting(
        "pseudonymise",
        "Replace participant and person ids with keyed hashes. The key is in STUDYFLOW_PSEUDONYM_KEY, or in the file that STUDYFLOW_PSEUDONYM_KEY_FILE names.",
    ),
]


def export_options(*, pseudonymise: bool, **options: bool) -> "ExportOptions":
    """How to export; without a key for the pseudonyms that were asked for, the command was called wrongly."""
    from pipelines.export import ExportOptions
    from pipelines.export.pseudonyms import from_environment

    try:
        return ExportOptions(pseudonyms=from_environment() if pseudonymise else None, **options)
    except StudyflowError as error:
        complain(error)
        raise typer.Exit(ExitCode.USAGE) from error


def progress_console(as_json: bool) -> Console | None:
    """Where progress is shown: on a terminal, unless JSON was asked for."""
    return None if as_json or logs.is_on() or not messages.is_terminal else messages


def say_waiting(sentence: str) -> None:
    """Say on standard error what is waited for."""
    _say("waiting", sentence)


def _say(event: str, sentence: str) -> None:
    if logs.is_on():
        logs.log(event, reason=sentence)
        return
    with ignore_write_errors(sys.stderr):
        messages.print(f"studyflow: {sentence}", highlight=False, soft_wrap=True)


def say(*lines: str) -> None:
    """Say on standard output what came of work that is done."""
    with ignore_write_errors(sys.stdout):
        for line in lines:
            output.print(line, highlight=False, soft_wrap=True)


def answer(
    as_json: bool, value: Callable[[], dict[str, Any]], render: Callable[[Console], object], *, of_work: bool = True
) -> None:
    """Print the value as JSON or for a person.

    `of_work`: it tells of work that is done, which a terminal or disk that takes no more text does not make a failure.
    """
    with ignore_write_errors(sys.stdout) if of_work else quiet_when_closed(sys.stdout):
        if as_json:
            print_json(value())
        else:
            render(output)


def print_json(value: dict[str, Any]) -> None:
    """The value on standard output, and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def complain(*problems: StudyflowError) -> None:
    """Say on standard error what went wrong."""
    for problem in problems:
        if logs.is_on():
            logs.log_problem(problem)
            continue
        # a file's name may have newlines of its own; a message about several things has one for each
        said = plain(f"studyflow: {problem}", keep="" if isinstance(problem, SourceError) else "\n")
        with ignore_write_errors(sys.stderr):
            messages.print(said, style="red", highlight=False, soft_wrap=True)
