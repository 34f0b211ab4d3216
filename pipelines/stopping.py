"""Ctrl-C, a scheduler's SIGTERM and the SIGHUP of a closed terminal: all end a command in the same way, at any point."""

import signal
from types import FrameType

_asked: list[int] = []
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP


def listen() -> None:
    """From now on each of the signals raises KeyboardInterrupt, and is remembered: dbt and DuckDB may swallow that.

    A signal that was ignored when the process started, as SIGHUP is under nohup, stays ignored.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def asked_by() -> str | None:
    """The name of the signal that asked this process to stop, if one did."""
    return signal.Signals(_asked[-1]).name if _asked else None


def raise_if_asked() -> None:
    """Called before something is put in place.

    Raises:
        KeyboardInterrupt: a signal came, and the code that was running at the time swallowed it.
    """
    if _asked:
        raise KeyboardInterrupt


def ignore_signals() -> None:
    """Nothing more interrupts the end of the process."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _: FrameType | None) -> None:
    _asked.append(number)
    raise KeyboardInterrupt
