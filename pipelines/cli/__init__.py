"""The `studyflow` command: reads what a person types, calls the part that does it, shows what came of it."""

import sys
from typing import NoReturn

from pipelines.cli import init, pipeline  # noqa: F401 - the commands, in the order of --help

# isort: split
from pipelines import logs, stopping, streams
from pipelines.cli import ask, doctor, forget, generate, receive, report, status  # noqa: F401
from pipelines.cli.app import app, complain
from pipelines.errors import ExitCode, StudyflowError, sentence

__all__ = ["app", "main"]


STOPPED = 130
"""What shells expect of a command that Ctrl-C ended."""
ENDED_BY_ITSELF = (ExitCode.DONE, ExitCode.CHECKS_FAILED)


def main() -> None:
    """Run the command and end with its exit code; what goes wrong is said in a sentence, never a traceback."""
    streams.prepare()
    stopping.handle_signals()
    logs.configure(as_json=False)
    try:
        app()
    except BaseException as error:
        # dbt and DuckDB make errors of their own of a signal
        if (signal := stopping.stop_signal()) and not (isinstance(error, SystemExit) and error.code in ENDED_BY_ITSELF):
            stopping.ignore_signals()
            _end(f"stopped by {signal}. What had not been put in place is gone; the rest is as it was.", STOPPED)
        if said := sentence(error):
            _end(said, error.exit_code if isinstance(error, StudyflowError) else ExitCode.FAILED)
        if logs.is_on() and not isinstance(error, SystemExit):
            logs.log_traceback(error)
            logs.log("run finished", exit_code=int(ExitCode.FAILED))
            sys.exit(ExitCode.FAILED)
        raise
    finally:
        for stream in (sys.stdout, sys.stderr):
            with streams.ignore_write_errors(stream):
                pass


def _end(problem: str, code: int) -> NoReturn:
    complain(StudyflowError(problem))
    logs.log("run finished", exit_code=int(code))
    sys.exit(code)
