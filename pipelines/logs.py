"""The log: JSON lines on standard error. Off by default.

Each line has `event`, `level` and `timestamp` (UTC). The other fields depend on the event: docs/scheduling.md lists them.
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
    import structlog  # noqa: PLC0415 - only needed if the log is on

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
    """Whether the log is on. If it is, nothing else may be written to standard error."""
    return bool(_logger)


def log(event: str, **values: object) -> None:
    """Write a line if the log is on."""
    _write("info", event, values)


def log_problem(problem: object) -> None:
    """Write a line about a problem if the log is on."""
    _write("error", "problem", {"problem": str(problem)})


def log_traceback(error: BaseException) -> None:
    """Write a line about an unexpected error if the log is on."""
    lines = traceback.format_exception(error)
    _write("error", "problem", {"problem": lines[-1].strip(), "traceback": "".join(lines)})


def _write(level: str, event: str, values: dict[str, object]) -> None:
    with ignore_write_errors(sys.stderr):  # a log that cannot be written does not stop the run
        for logger in _logger:
            getattr(logger, level)(event, **values)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
