"""The commands that answer questions: funnel, forecast, backlog, who, sql."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from pipelines.cli.app import Database, app, output
from pipelines.cli.complete import participants, queries, states, studies
from pipelines.errors import StudyflowError
from pipelines.settings import resolve
from pipelines.streams import quiet_when_closed

ROWS_ON_A_TERMINAL = 200


OutputFormat = Literal["table", "csv", "json"]
AsTable = Annotated[bool, typer.Option("--table", help="A table to look at, also where no terminal is.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV, also on a terminal.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help=f"At most so many rows. Default: {ROWS_ON_A_TERMINAL} in a table, else all."),
]


@app.command()
def funnel(
    study: Annotated[
        str, typer.Argument(help="Its id, its name, or how either begins.", autocompletion=studies, metavar="STUDY")
    ],
    database: Database = None,
    as_table: AsTable = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show how far the participants of a study came, how fast, and where they stopped."""
    from pipelines.ask.funnel import funnel as ask
    from pipelines.ask.funnel import render
    from pipelines.ask.stream import csv_lines
    from pipelines.ask.warehouse import reading

    form = _form(as_table, as_csv, as_json)
    with reading(resolve(database=database).database) as connection:
        found = ask(connection, study)
        _write(form, lambda: csv_lines(found.steps), found.as_dict, lambda: render(found, output))


@app.command()
def forecast(
    study: Annotated[
        str | None,
        typer.Argument(
            help="Only this study: id, name, or how either begins.", autocompletion=studies, metavar="[STUDY]"
        ),
    ] = None,
    database: Database = None,
    as_table: AsTable = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show when studies are full, and how many to invite for that. In a pipe: JSON."""
    from pipelines.ask.forecast import forecast as ask
    from pipelines.ask.forecast import render
    from pipelines.ask.stream import csv_lines
    from pipelines.ask.warehouse import reading

    form = _form(as_table, as_csv, as_json, in_a_pipe="json")
    with reading(resolve(database=database).database) as connection:
        found = ask(connection, study)
        _write(form, lambda: csv_lines(found.studies), found.as_dict, lambda: render(found, output))


@app.command()
def backlog(
    study: Annotated[
        str | None,
        typer.Option("--study", help="Only this study: id, name, or how either begins.", autocompletion=studies),
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Only those whom no table in Rally shows.")] = False,
    state: Annotated[
        str | None, typer.Option("--state", help="Only not_sent, unclaimed or undelivered.", autocompletion=states)
    ] = None,
    limit: Limit = None,
    database: Database = None,
    as_table: AsTable = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show who is owed an incentive, the most urgent first, and the sums."""
    from pipelines.ask.backlog import backlog as ask
    from pipelines.ask.backlog import render
    from pipelines.ask.stream import csv_lines
    from pipelines.ask.warehouse import reading

    form = _form(as_table, as_csv, as_json)
    with reading(resolve(database=database).database) as connection:
        found = ask(connection, study, state, overdue=overdue, hidden=hidden)
        _write(
            form,
            lambda: csv_lines(found.rows.first(limit)),
            lambda: found.as_dict(limit),
            lambda: render(found, output, limit or ROWS_ON_A_TERMINAL),
        )


@app.command()
def who(
    participant: Annotated[
        str, typer.Argument(help="The id of a participant or of a person.", autocompletion=participants)
    ],
    database: Database = None,
    as_table: AsTable = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show where a participant stands, and every change that led there: what was inferred, late or is missing."""
    from pipelines.ask.stream import csv_lines
    from pipelines.ask.warehouse import reading
    from pipelines.ask.who import who as ask

    form = _form(as_table, as_csv, as_json)
    with reading(resolve(database=database).database) as connection:
        found = ask(connection, participant)
        _write(form, lambda: csv_lines(found.changes), found.as_dict, lambda: found.render(output))


@app.command()
def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            help="SQL that reads; - for standard input. Of several statements, the last answers.",
            autocompletion=queries,
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file with the SQL.")] = None,
    limit: Limit = None,
    database: Database = None,
    as_table: AsTable = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Ask the warehouse anything. It is only read, and so is no other file."""
    from pipelines.ask.show import show_rows
    from pipelines.ask.stream import csv_lines, json_lines, put
    from pipelines.ask.warehouse import ask_freely, reading

    form, text = _form(as_table, as_csv, as_json), _query(query, file)
    with reading(resolve(database=database).database) as connection:
        answer = ask_freely(connection, text)
        if form == "table":
            with quiet_when_closed(sys.stdout):
                show_rows(answer, output, limit or ROWS_ON_A_TERMINAL)
        else:
            put((csv_lines if form == "csv" else json_lines)(answer.first(limit)))


def _form(as_table: bool, as_csv: bool, as_json: bool, in_a_pipe: OutputFormat = "csv") -> OutputFormat:
    asked: list[OutputFormat] = [
        form for form, is_asked in zip(get_args(OutputFormat), (as_table, as_csv, as_json), strict=True) if is_asked
    ]
    if len(asked) > 1:
        msg = f"Say one of {', '.join(f'--{form}' for form in asked)}."
        raise typer.BadParameter(msg)
    return asked[0] if asked else "table" if sys.stdout.isatty() else in_a_pipe


def _write(
    form: OutputFormat, as_csv: Callable[[], Any], as_dict: Callable[[], dict[str, Any]], render: Callable[[], None]
) -> None:
    from pipelines.ask.stream import document, put

    if form == "table":
        with quiet_when_closed(sys.stdout):
            render()
    else:
        put(as_csv() if form == "csv" else document(as_dict()))


def _query(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        msg = 'Say what to ask: studyflow sql "select …", or --file QUERY.sql, or - for standard input.'
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
