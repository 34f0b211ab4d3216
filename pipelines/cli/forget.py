"""The command `forget`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.app import (
    Database,
    Exports,
    Raw,
    Reports,
    Wait,
    app,
    messages,
    print_lines,
    show_waiting,
)
from pipelines.errors import ExitCode, StudyflowError, UsageError
from pipelines.object_paths import raw_paths
from pipelines.plain import several
from pipelines.settings import REPORTS, WAIT_SECONDS, Settings, resolve

if TYPE_CHECKING:
    from pipelines.forget import KnownPerson


@app.command()
def forget(
    person: Annotated[str, typer.Option("--person", help="The person's id in Rally.")],
    raw_files: Annotated[
        bool,
        typer.Option(
            "--raw-files",
            help="Also remove the person from the raw files and people.csv. First stop all programs that write to them.",
        ),
    ] = False,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof", help="Also write the proof to this JSON file: what was removed, and whether anything is left."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    raw: Raw = None,
    database: Database = None,
    exports: Exports = None,
    reports: Reports = None,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Remove a person from the warehouse, the exports and the reports for good. Deliveries about them that arrive later are not loaded."""
    from pipelines.forget import forget as forget_person
    from pipelines.forget import look_up
    from pipelines.run import settings_for_loaded_data
    from pipelines.state import engine_of
    from pipelines.warehouse import connect

    if not person.strip():
        msg = "--person is blank. Give the id of one person."
        raise UsageError(msg)
    settings = replace(
        settings_for_loaded_data(database, None),
        exports=resolve(exports=exports).exports,
        reports=(reports or REPORTS).absolute(),
        wait_seconds=wait,
    )
    with connect(settings.database, read_only=True) as connection:
        settings = replace(settings, engine=engine_of(connection) or settings.engine)
        known = look_up(connection, person, settings.people_file)
    if not known.is_someone:
        msg = (
            f"{settings.database}: unknown person id, and nobody with this id was forgotten. "
            "Check the id. If they are only in raw files, load those first."
        )
        raise StudyflowError(msg)
    if not yes:
        _confirm(known, settings, raw_files=raw_files)
    result = forget_person(settings, person, list(raw_paths(raw or ())), rewrite=raw_files, on_wait=show_waiting)
    print_lines(*result.sentences())
    if proof:
        result.write(proof)
    if not result.is_done:
        msg = "not everything was removed; see above. Fix that and run the command again."
        raise StudyflowError(msg)
    raise typer.Exit(ExitCode.DONE if result.checks_passed else ExitCode.CHECKS_FAILED)


def _confirm(known: "KnownPerson", settings: Settings, *, raw_files: bool) -> None:
    """Ask for confirmation on the terminal; without a terminal, exit and require --yes."""
    if not sys.stdin.isatty():
        msg = "forgetting cannot be undone, and there is no terminal to confirm on; pass --yes."
        raise UsageError(msg)
    held = f"{several(known.lines, 'line')} in {settings.database}"
    held += f" and {several(known.people_rows, 'row')} of {settings.people_file}" if known.people_rows else ""
    messages.print(f"About this person: {held}.", highlight=False, markup=False, soft_wrap=True)
    where = "the warehouse, the exports, the reports" + (", the raw files and people.csv" if raw_files else "")
    typer.confirm(f"Remove them from {where}? This cannot be undone.", abort=True, err=True)
