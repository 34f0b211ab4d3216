"""The typer application, the options that commands share, and the functions that print."""

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
from pipelines.errors import SourceError, StudyflowError, UsageError
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
    """Turn a StudyflowError into a typer.BadParameter, which names the option."""
    try:
        yield
    except StudyflowError as error:
        raise typer.BadParameter(str(error)) from error


def _instant(text: str) -> str:
    from pipelines.settings import parse_as_of

    with usage_errors():
        instant = parse_as_of(text)
    if instant > datetime.now(UTC):
        _notify("warning", f"{text} is in the future: ages and overdue debts include time that has not passed yet.")
    return text


def setting(name: str, meaning: str, **more: Any) -> Any:  # noqa: ANN401 - the types of typer.Option
    """An option that can also be set by the environment variable STUDYFLOW_<NAME>."""
    return typer.Option(f"--{name}", envvar=f"STUDYFLOW_{name.upper().replace('-', '_')}", help=meaning, **more)


def _as_of_setting(meaning: str) -> Any:  # noqa: ANN401 - the types of typer.Option
    """The option --as-of, which means something else to commands that build tables than to those that read them."""
    return setting(
        "as-of", f"{meaning} Example: 2026-07-31T18:00:00Z.", callback=lambda value: value and _instant(value)
    )


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
AsOf = Annotated[str | None, _as_of_setting("Use data as of this time. Default: now.")]
BuiltAsOf = Annotated[
    str | None,
    _as_of_setting("Fail unless the tables were built as of this time. Default: accept any time."),
]
Wait = Annotated[
    float,
    setting("wait", "How long to wait for another run on the same warehouse.", min=0, metavar="SECONDS"),
]
LogJson = Annotated[bool, setting("log-json", "Write steps and problems as JSON lines to standard error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]
Strict = Annotated[bool, typer.Option("--strict", help="Also fail if lines were rejected.")]
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
    """The options of an export.

    Raises:
        UsageError: the key of the pseudonyms is missing or too short.
    """
    from pipelines.export import ExportOptions
    from pipelines.export.pseudonyms import from_environment

    try:
        return ExportOptions(pseudonyms=from_environment() if pseudonymise else None, **options)
    except StudyflowError as error:
        raise UsageError(str(error)) from error


def progress_console(as_json: bool) -> Console | None:
    """The console for progress bars; None if standard error is not a terminal or the output is JSON."""
    return None if as_json or logs.is_on() or not messages.is_terminal else messages


def show_waiting(sentence: str) -> None:
    """Print on standard error what the command is waiting for."""
    _notify("waiting", sentence)


def _notify(event: str, sentence: str) -> None:
    if logs.is_on():
        logs.log(event, reason=sentence)
        return
    with ignore_write_errors(sys.stderr):
        messages.print(f"studyflow: {sentence}", highlight=False, soft_wrap=True)


def print_lines(*lines: str) -> None:
    """Print the result of finished work on standard output."""
    with ignore_write_errors(sys.stdout):
        for line in lines:
            output.print(line, highlight=False, soft_wrap=True)


def print_result(
    as_json: bool, value: Callable[[], dict[str, Any]], render: Callable[[Console], object], *, of_work: bool = True
) -> None:
    """Print the result as JSON, or render it for people.

    `of_work`: the command's work is already done, so a failure to print does not make the command fail.
    """
    with ignore_write_errors(sys.stdout) if of_work else quiet_when_closed(sys.stdout):
        if as_json:
            sys.stdout.write(json.dumps(value(), indent=2, ensure_ascii=False, default=str) + "\n")
        else:
            render(output)


def print_problems(*problems: StudyflowError) -> None:
    """Print the problems on standard error, or write them to the log if it is on."""
    for problem in problems:
        if logs.is_on():
            logs.log_problem(problem)
            continue
        # A newline in a SourceError comes from a file name and is escaped; other messages have one line per problem.
        text = plain(f"studyflow: {problem}", keep="" if isinstance(problem, SourceError) else "\n")
        with ignore_write_errors(sys.stderr):
            messages.print(text, style="red", highlight=False, soft_wrap=True)
