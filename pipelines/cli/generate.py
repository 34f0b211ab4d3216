"""The command `generate`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import app, messages, print_lines
from pipelines.compression import Compression
from pipelines.errors import StudyflowError
from pipelines.plain import several


@app.command()
def generate(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder, or one file that ends in .jsonl, .ndjson, .gz or .zst.")
    ],
    participants: Annotated[
        int, typer.Option(help="How many participants. The files have about five lines for each.")
    ] = 1000,
    studies: Annotated[int, typer.Option(help="How many studies.")] = 8,
    days: Annotated[int, typer.Option(help="How many days the files cover.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day.")] = datetime(2026, 6, 1),  # noqa: DTZ001
    duplicates: Annotated[float, typer.Option(help="Share of lines that are delivered again.")] = 0.05,
    late: Annotated[float, typer.Option(help="Share of lines that arrive out of order.")] = 0.03,
    lost: Annotated[float, typer.Option(help="Share of changes that never arrive.")] = 0.01,
    malformed: Annotated[
        float, typer.Option(help="Share of changes for which a damaged copy of the line is added.")
    ] = 0.01,
    drift: Annotated[
        float,
        typer.Option(
            help="How far the response rate falls from the first day to the last, as a share. It falls steadily. "
            "With 0.5, participants take half as many steps on the last day as on the first."
        ),
    ] = 0,
    burst_days: Annotated[
        int,
        typer.Option(
            help="Add participants in bursts, with this many days from one burst to the next. 0 spreads them over all days."
        ),
    ] = 0,
    files: Annotated[int, typer.Option(help="How many files.")] = 1,
    compression: Annotated[Compression, typer.Option(help="How the files are compressed.")] = "none",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Make realistic webhook files for trying things out and for tests."""
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
            drift=drift,
            burst_days=burst_days,
        )
        with progress_bar(messages, "Generating", "participants") as update:
            result = make(
                recipe,
                out,
                files=files,
                compression=compression,
                overwrite=overwrite,
                progress=lambda done: update(done, participants),
            )
    except FileExistsError as error:
        raise StudyflowError(str(error)) from error
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror})."
        raise StudyflowError(msg) from error
    print_lines(
        f"{result.lines:,} lines of {result.participants:,} participants in {several(len(result.files), 'file')} under {out}"
    )
