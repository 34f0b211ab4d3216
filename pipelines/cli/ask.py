"""The commands that answer questions.

studies, funnel, forecast, backtest, stalled, invitable, contacted, what-if, backlog, who, sql.
"""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import update_wrapper
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipelines.cli.app import Database, Wait, app, messages, output, show_waiting
from pipelines.cli.complete import complete, queries
from pipelines.errors import StudyflowError
from pipelines.settings import ROWS_ON_A_TERMINAL, WAIT_SECONDS, resolve
from pipelines.streams import quiet_when_closed

if TYPE_CHECKING:
    import duckdb

    from pipelines.ask.reply import Reply

Question = Callable[["duckdb.DuckDBPyConnection"], "Reply"]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", min=1, help=f"Show at most this many rows. Default: {ROWS_ON_A_TERMINAL} in a table, otherwise all."
    ),
]


def of_study(text: str) -> Any:  # noqa: ANN401 - what typer.Option returns
    """The option --study with this help text."""
    return typer.Option("--study", help=text, autocompletion=complete("study"))


Study = Annotated[str | None, of_study("Only this study: its id, its name, or the beginning of either.")]
AsTable = Annotated[bool, typer.Option("--table", help="Write a table, even when piped.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Write CSV, even on a terminal.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
IMAGE_SUFFIXES = (".png", ".svg")


def question(in_a_pipe: Literal["csv", "json"] = "csv") -> Callable[[Callable[..., Question]], Callable[..., None]]:
    """Turn a function that returns a question into a command that answers it.

    The command has the function's options and the common ones: the database and the output formats. The function may
    declare a common option that it needs, too.
    """

    def command(make_question: Callable[..., Question]) -> Callable[..., None]:
        own = signature(make_question)
        options = {**own.parameters, **COMMON}

        def run(**values: Any) -> None:  # noqa: ANN401
            common = {name: values[name] for name in COMMON}
            _answer(lambda: make_question(**{name: values[name] for name in own.parameters}), in_a_pipe, **common)

        update_wrapper(run, make_question, assigned=("__module__", "__name__", "__doc__"))
        run.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=list(options.values()), return_annotation=None
        )
        return app.command()(run)

    return command


def _answer(
    make_question: Callable[[], Question],
    in_a_pipe: Literal["csv", "json"],
    *,
    database: Database = None,
    as_table: AsTable = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Answer the question from the warehouse, and write the answer in one format."""
    from pipelines.ask.stream import write_stdout
    from pipelines.ask.warehouse import reading

    flags = {"table": as_table, "csv": as_csv, "json": as_json}
    formats = [name for name, is_chosen in flags.items() if is_chosen]
    if len(formats) > 1:
        msg = f"Choose one of {', '.join(f'--{name}' for name in formats)}."
        raise typer.BadParameter(msg)
    [output_format] = formats or ["table" if sys.stdout.isatty() else in_a_pipe]
    ask = make_question()
    with reading(resolve(database=database).database) as connection:
        reply = ask(connection)
        if output_format == "table":
            with quiet_when_closed(sys.stdout):
                reply.render(output)
        else:
            is_json = output_format == "json"
            write_stdout(reply.as_json() if is_json else reply.as_csv(), is_json=is_json)


COMMON = {
    name: parameter
    for name, parameter in signature(_answer).parameters.items()
    if parameter.kind is Parameter.KEYWORD_ONLY
}
"""The options that all questions have."""


@question()
def studies(
    only_open: Annotated[bool, typer.Option("--open", help="Only studies that are neither closed nor full.")] = False,
    limit: Limit = None,
) -> Question:
    """List every study: how many have completed it, incentives owed, how many are stalled, and when it will be full."""
    from pipelines.ask.studies import studies as ask

    return lambda connection: ask(connection, only_open=only_open).first(limit)


@question()
def funnel(
    study: Annotated[
        str,
        typer.Argument(
            help="The id of the study, its name, or the beginning of either.",
            autocompletion=complete("study"),
            metavar="STUDY",
        ),
    ],
) -> Question:
    """Show how far the participants of a study got, how fast, which steps they have not reached, and which paths they took."""
    from pipelines.ask.funnel import funnel as ask

    return lambda connection: ask(connection, study)


@question(in_a_pipe="json")
def forecast(
    study: Annotated[
        str | None,
        typer.Argument(
            help="Only this study: its id, its name, or the beginning of either.",
            autocompletion=complete("study"),
            metavar="[STUDY]",
        ),
    ] = None,
    limit: Limit = None,
) -> Question:
    """Show when each study will be full, and how many people to invite. Prints JSON when piped."""
    from pipelines.ask.forecast import forecast as ask

    return lambda connection: ask(connection, study).first(limit)


@question(in_a_pipe="json")
def backtest(
    weeks: Annotated[
        int,
        typer.Option("--weeks", min=1, max=520, help="How many weeks to go back. One forecast is made for each week."),
    ] = 26,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Also draw a chart, as a .png or .svg file, that compares the forecast chances with how often the forecasts "
            "came true.",
        ),
    ] = None,
    wait: Wait = WAIT_SECONDS,
    database: Database = None,
) -> Question:
    """Remake the forecasts of past weeks, and say how often they came true. Prints JSON when piped."""
    from pipelines.ask.backtest import backtested
    from pipelines.backtest import backtest as make_forecasts
    from pipelines.run import settings_for_loaded_data

    if plot and plot.suffix not in IMAGE_SUFFIXES:
        msg = f"{plot}: needs a name that ends in {' or '.join(IMAGE_SUFFIXES)}."
        raise typer.BadParameter(msg)
    settings = replace(settings_for_loaded_data(database, None), wait_seconds=wait)
    with messages.status("Remaking the forecasts of past weeks") if messages.is_terminal else nullcontext():
        make_forecasts(settings, weeks, show_waiting)

    def ask(connection: "duckdb.DuckDBPyConnection") -> "Reply":
        reply = backtested(connection)
        if plot:
            from pipelines.ask.calibration import plot as draw

            draw(reply, plot)
        return reply

    return ask


@question()
def stalled(
    study: Study = None,
    action: Annotated[
        Literal["remind", "move_by_hand", "let_go"] | None,
        typer.Option(
            "--action",
            help="Only participants with this action. let_go: nothing to do, because they were disqualified, or the study is closed or full. "
            "Default: remind and move_by_hand.",
        ),
    ] = None,
    limit: Limit = None,
) -> Question:
    """List stalled participants to remind or to move to another status in Rally by hand. The most recently stalled come first."""
    from pipelines.ask.stalled import stalled as ask

    return lambda connection: ask(connection, study, action).first(limit)


@question()
def invitable(
    study: Annotated[str | None, of_study("Only people in this study who have not been invited to it yet.")] = None,
    limit: Limit = None,
) -> Question:
    """List people who may be invited now without exceeding a contact limit.

    Those not active in any study come first, then the others; within each group, those contacted least recently come first.
    """
    from pipelines.ask.invitable import invitable as ask

    return lambda connection: ask(connection, study).first(limit)


@question()
def contacted(
    study: Annotated[
        str | None, of_study("Only people in this study: its id, its name, or the beginning of either.")
    ] = None,
    limit: Limit = None,
) -> Question:
    """List people who are over a contact limit now. Those who went over it most recently come first."""
    from pipelines.ask.contacted import contacted as ask

    return lambda connection: ask(connection, study).first(limit)


@question()
def what_if(
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            help='A limit, like "invitations 3 in 90 days"; a cooldown, like "14 days after participation"; '
            "or a rule_id from governance_rules.csv.",
            metavar="RULE",
        ),
    ],
    limit: Limit = None,
) -> Question:
    """Show what a limit or cooldown would have changed in the last year: invitations stopped and completions lost, by study."""
    from pipelines.ask.what_if import what_if as ask

    return lambda connection: ask(connection, rule).first(limit)


@question()
def backlog(
    study: Study = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only incentives that are overdue.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Only incentives that no table in Rally shows.")] = False,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            help="Only incentives in this state: not_sent, unclaimed or undelivered.",
            autocompletion=complete("state"),
        ),
    ] = None,
    limit: Limit = None,
) -> Question:
    """Show who is owed an incentive, the most urgent first, and the totals."""
    from pipelines.ask.backlog import backlog as ask

    return lambda connection: ask(connection, study, state, overdue=overdue, hidden=hidden).first(limit)


@question()
def who(
    participant: Annotated[
        str,
        typer.Argument(
            help="The id of a participant or person, or a name or email address in people.csv. Part of an id or name is enough.",
            metavar="PARTICIPANT",
            autocompletion=complete("participant"),
        ),
    ],
) -> Question:
    """Show a participant's current status and every change that led to it.

    The output marks changes that arrived late, changes inferred from the next webhook, and gaps where a webhook is missing.
    """
    from pipelines.ask.who import who as ask

    return lambda connection: ask(connection, participant)


@question()
def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            help="A SQL query, or - to read it from standard input. If there are several statements, the result of the last one is shown.",
            metavar="[QUERY]",
            autocompletion=queries,
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file with the SQL query.")] = None,
    limit: Limit = None,
) -> Question:
    """Run a SQL query on the warehouse. It can read every table, but cannot change anything."""
    from pipelines.ask.sql import sql as ask

    text = _query(query, file)
    return lambda connection: ask(connection, text, limit)


def _query(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        msg = 'Give one query: studyflow sql "select …", or --file QUERY.sql, or - for standard input.'
        raise typer.BadParameter(msg)
    try:
        if file:
            return file.read_text(encoding="utf-8-sig")
        return sys.stdin.buffer.read().decode("utf-8-sig") if query == "-" else str(query)
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror})."
        raise StudyflowError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{file or 'standard input'}: is not in UTF-8."
        raise StudyflowError(msg) from error
