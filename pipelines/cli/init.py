"""The command `init`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import app, print_lines


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder of the workspace, new or existing.", metavar="DIR")],
) -> None:
    """Make a workspace: a folder of your own for settings, reference tables, models and webhook files."""
    from pipelines.workspace.create import create

    files = create(folder)
    print_lines(
        f"{folder}: a workspace of {len(files)} files. Next:",
        f"  cd {folder}",
        "  cp /path/to/webhooks/* data/raw/      # or let STUDYFLOW_RAW name where they are",
        "  studyflow run",
        "Settings are in dbt_project.yml, reference tables in data/reference, an example of your own model in models,",
        "and an entry for cron in schedule/crontab.",
    )
