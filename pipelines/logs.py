"""The log: JSON lines on standard error. Off by default.

Each line has `event`, `level` and `timestamp` (UTC). The other fields depend on the event: docs/scheduling.md lists them.
"""

import json
import sys
import traceback
from datetime import UTC, datetime

from pipelines.plain import instant
from pipelines.streams import ignore_write_errors

_is_on = False


def configure(*, as_json: bool) -> None:
    """Turn the log on or off for this process."""
    global _is_on  # noqa: PLW0603 - a process has one log
    _is_on = as_json


def is_on() -> bool:
    """Whether the log is on. If it is, nothing else may be written to standard error."""
    return _is_on


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
    if not _is_on:
        return
    line = values | {"event": event, "level": level, "timestamp": instant(datetime.now(UTC))}
    with ignore_write_errors(sys.stderr):  # a log that cannot be written does not stop the run
        sys.stderr.write(json.dumps(line, default=_plain, ensure_ascii=False) + "\n")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
