"""The `studyflow` command: reads what a person types, calls the part that does it, shows what came of it."""

import signal
import sys

from pipelines.cli import pipeline  # noqa: F401 - the commands, in the order of --help

# isort: split
from pipelines.cli import look, make_files  # noqa: F401
from pipelines.cli.app import app, complain
from pipelines.errors import ExitCode, StudyflowError

__all__ = ["app", "main"]


STOPPED = 130
"""What shells expect of a command that Ctrl-C ended; typer's code for it."""


def main() -> None:
    """Run the command and end with its exit code; what goes wrong is said in a sentence, never a traceback."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except SystemExit as end:
        if end.code == STOPPED:
            complain(StudyflowError("stopped. What had not been put in place is gone; the rest is as it was."))
        raise
    except StudyflowError as error:
        complain(error)
        sys.exit(ExitCode.FAILED)
    except OSError as error:
        complain(StudyflowError(f"{error.filename or 'a file'}: {error.strerror or error}."))
        sys.exit(ExitCode.FAILED)


def _stop(*_: object) -> None:
    """A scheduler that ends a run gets what a person gets with Ctrl-C."""
    raise KeyboardInterrupt
