"""The `studyflow` command line: parses options, calls the functions that do the work, and prints the results."""

import sys
from typing import NoReturn

from pipelines.cli import init, pipeline  # noqa: F401 - the commands, in the order of --help

# isort: split
from pipelines import logs, stopping, streams
from pipelines.cli import ask, doctor, forget, generate, receive, report, status  # noqa: F401
from pipelines.cli.app import app, print_problems
from pipelines.errors import ExitCode, StudyflowError, sentence

__all__ = ["app", "main"]


STOPPED = 130
"""The exit code that shells expect after Ctrl-C."""
FINISHED = (ExitCode.DONE, ExitCode.CHECKS_FAILED)


def main() -> None:
    """Run the command and exit with its code. Expected errors are printed as a sentence, without a traceback."""
    streams.prepare()
    stopping.handle_signals()
    logs.configure(as_json=False)
    try:
        app()
    except BaseException as error:
        # A signal may surface as any error, because dbt and DuckDB raise their own.
        if (signal := stopping.stop_signal()) and not (isinstance(error, SystemExit) and error.code in FINISHED):
            stopping.ignore_signals()
            _end(f"stopped by {signal}. What had not been put in place is gone; the rest is as it was.", STOPPED)
        if problem := sentence(error):
            _end(problem, error.exit_code if isinstance(error, StudyflowError) else ExitCode.FAILED)
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
    print_problems(StudyflowError(problem))
    logs.log("run finished", exit_code=int(code))
    sys.exit(code)
