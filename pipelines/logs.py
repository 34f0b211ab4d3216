"""What a run does, as one JSON object a line on standard error, for those who collect logs. Off unless asked for.

Every line has `event`, `level` and `timestamp` (UTC); the rest depends on the event: docs/scheduling.md lists them.
"""

import sys
import traceback
from datetime import datetime
from typing import Any

from pipelines.streams import ignore_write_errors

_logger: list[Any] = []


def configure(*, as_json: bool) -> None:
    """Turn the log on or off for this process."""
    _logger.clear()
    if not as_json:
        return
    import structlog  # noqa: PLC0415 - not needed by those who want no log

    _logger.append(
        structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(default=_plain, ensure_ascii=False),
            ],
        )
    )


def is_on() -> bool:
    """Whether standard error is a log; nothing else may be written there then."""
    return bool(_logger)


def log(event: str, **values: object) -> None:
    """Write a line, if the log is on."""
    _write("info", event, values)


def log_problem(problem: object) -> None:
    """Write a line about something that went wrong, if the log is on."""
    _write("error", "problem", {"problem": str(problem)})


def log_traceback(error: BaseException) -> None:
    """Write a line about an error that nobody expected, if the log is on."""
    lines = traceback.format_exception(error)
    _write("error", "problem", {"problem": lines[-1].strip(), "traceback": "".join(lines)})


def _write(level: str, event: str, values: dict[str, object]) -> None:
    """A log that can no longer be written does not stop the run that it is of."""
    with ignore_write_errors(sys.stderr):
        for logger in _logger:
            getattr(logger, level)(event, **values)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
