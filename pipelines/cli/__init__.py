"""The `studyflow` command: reads what a person types, calls the part that does it, shows what came of it."""

import sys

from pipelines.cli import pipeline  # noqa: F401 - the commands, in the order of --help

# isort: split
from pipelines.cli import look, make_files  # noqa: F401
from pipelines.cli.app import app, complain
from pipelines.errors import ExitCode, StudyflowError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command and end with its exit code; what goes wrong is said in a sentence, never a traceback."""
    try:
        app()
    except StudyflowError as error:
        complain(error)
        sys.exit(ExitCode.FAILED)
