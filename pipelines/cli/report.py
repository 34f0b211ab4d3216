"""The command `report`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli.app import (
    AsJson,
    BuiltAsOf,
    Database,
    Reports,
    app,
    print_lines,
    print_result,
    setting,
    usage_errors,
)


def _instant(text: str | None) -> str | None:
    from pipelines.settings import parse_instant

    if text:
        with usage_errors():
            parse_instant(text)
    return text


def _address(**urls: str) -> str:
    from pipelines.report.links import Links

    with usage_errors():
        Links(**urls)
    return next(iter(urls.values()))


@app.command()
def report(
    study: Annotated[str | None, typer.Option("--study", help="Only this study: its id or name.")] = None,
    as_of: BuiltAsOf = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Show what changed since this time. Default: the time of the last report in the same folder, else seven days before the as-of time of the tables.",
            callback=_instant,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this .html or .md file, or into this folder."),
    ] = None,
    reports: Reports = None,
    formats: Annotated[Literal["html", "md", "both"], typer.Option("--format", help="Which files to write.")] = "both",
    names: Annotated[bool, typer.Option("--names", help="Add a column with the names in people.csv.")] = False,
    study_url: Annotated[
        str,
        setting(
            "study-url",
            "Address of a study in Rally, with {study_id} in place of its id.",
            callback=lambda url: _address(study_url=url),
        ),
    ] = "",
    participant_url: Annotated[
        str,
        setting(
            "participant-url",
            "Address of a participant in Rally, with {participant_id}, {person_id} or {study_id} in place of ids.",
            callback=lambda url: _address(participant_url=url),
        ),
    ] = "",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write a report on what changed, what needs action and how each study is doing, as one HTML file and as Markdown."""
    from pipelines.ask.warehouse import reading
    from pipelines.report import ReportRequest, write
    from pipelines.report.links import Links
    from pipelines.settings import REPORTS, parse_instant, resolve

    request = ReportRequest(
        study=study,
        since=parse_instant(since) if since else None,
        as_of=parse_instant(as_of) if as_of else None,
        formats=("html", "md") if formats == "both" else (formats,),
        names=names,
        links=Links(study_url, participant_url),
    )
    with reading(resolve(database=database).database) as connection:
        written = write(connection, (out or reports or REPORTS).absolute(), request)
    print_result(as_json, written.as_dict, lambda _: print_lines(*map(str, written.files)))
