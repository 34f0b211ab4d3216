"""Ctrl-C, and a scheduler's SIGTERM: both end a command alike, wherever it is."""

import signal
from types import FrameType

_asked: list[int] = []


def listen() -> None:
    """From now on either signal raises KeyboardInterrupt, and is remembered: dbt and DuckDB may swallow that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def is_asked() -> bool:
    """Whether a signal asked this process to stop."""
    return bool(_asked)


def raise_if_asked() -> None:
    """Called before something is put in place.

    Raises:
        KeyboardInterrupt: a signal came, and whoever was at work then went on all the same.
    """
    if _asked:
        raise KeyboardInterrupt


def deafen() -> None:
    """Nothing more interrupts the end of the process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _: FrameType | None) -> None:
    _asked.append(number)
    raise KeyboardInterrupt
