"""The commands `status` and `reconcile`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import AsJson, Database, app, print_result
from pipelines.cli.complete import complete
from pipelines.settings import resolve


@app.command()
def status(database: Database = None, as_json: AsJson = False) -> None:
    """Show what is loaded, participants by stage, how many webhooks were lost, and whether webhooks are still arriving."""
    from pipelines.ask.warehouse import reading
    from pipelines.summary import render, summarise

    settings = resolve(database=database)
    with reading(settings.database) as connection:
        summary = summarise(connection, settings.database)
    print_result(as_json, summary.as_dict, lambda console: render(summary, console), of_work=False)


@app.command()
def reconcile(
    study: Annotated[
        str,
        typer.Option(
            "--study",
            help="The id of the study, its name, or the beginning of either.",
            autocompletion=complete("study"),
        ),
    ],
    completed: Annotated[
        Path,
        typer.Option("--completed", help="A CSV file with ids or email addresses of people who completed the survey."),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write the outcome for each id to this CSV file.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Compare a survey tool's list of completions with a study, and say whom to move to a completed status in Rally."""
    from pipelines.ask.warehouse import reading
    from pipelines.reconcile import as_dict, render
    from pipelines.reconcile import reconcile as compare

    with reading(resolve(database=database).database) as connection:
        result = compare(connection, study, completed, out)
    print_result(as_json, lambda: as_dict(result), lambda console: render(result, console), of_work=False)
