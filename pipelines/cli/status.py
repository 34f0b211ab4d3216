"""The commands that only look: status, reconcile."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import AsJson, Database, app, output, print_json
from pipelines.settings import resolve
from pipelines.streams import quiet_when_closed


@app.command()
def status(database: Database = None, as_json: AsJson = False) -> None:
    """Show what is loaded now and where everyone stands."""
    from pipelines.ask.warehouse import reading
    from pipelines.summary import render, summarise

    settings = resolve(database=database)
    with reading(settings.database) as connection:
        summary = summarise(connection, settings.database)
    with quiet_when_closed(sys.stdout):
        if as_json:
            print_json(summary.as_dict())
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
    from pipelines.ask.warehouse import reading
    from pipelines.reconcile import as_dict, render
    from pipelines.reconcile import reconcile as compare

    with reading(resolve(database=database).database) as connection:
        compared = compare(connection, study, completed, out)
    with quiet_when_closed(sys.stdout):
        if as_json:
            print_json(as_dict(compared))
        else:
            render(compared, output)
