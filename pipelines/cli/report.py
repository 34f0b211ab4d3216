"""The command that tells people what there is to do: report."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.app import AsJson, AsOf, Database, Reports, answer, app, say


@app.command()
def report(
    study: Annotated[str | None, typer.Option("--study", help="Only this study: its id or name.")] = None,
    as_of: AsOf = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="Tell what changed since then. Default: the last report beside it, else a week before."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file, as its ending .html or .md says, or into this folder."),
    ] = None,
    reports: Reports = None,
    formats: Annotated[Literal["html", "md", "both"], typer.Option("--format", help="What it is written as.")] = "both",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write what changed, who needs action and how each study goes, as one HTML file and as Markdown."""
    from pipelines.ask.warehouse import reading
    from pipelines.report import ReportRequest, write
    from pipelines.settings import REPORTS, parse_instant, resolve

    wanted = ReportRequest(
        study=study,
        since=parse_instant(since) if since else None,
        as_of=parse_instant(as_of) if as_of else None,
        formats=("html", "md") if formats == "both" else (formats,),
    )
    with reading(resolve(database=database).database) as connection:
        written = write(connection, (out or reports or REPORTS).absolute(), wanted)
    answer(as_json, written.as_dict, lambda _: say(*map(str, written.files)))
