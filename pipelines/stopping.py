"""Handle the signals that stop a command: Ctrl-C, a scheduler's SIGTERM, and the SIGHUP of a closed terminal."""

import signal
from types import FrameType

_received: list[int] = []
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP


def handle_signals() -> None:
    """From now on, each of these signals raises KeyboardInterrupt and is recorded: dbt and DuckDB may swallow errors.

    A signal that was ignored when the process started (SIGHUP under nohup) stays ignored.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def stop_signal() -> str | None:
    """The name of the signal that asked this process to stop, if one did."""
    return signal.Signals(_received[-1]).name if _received else None


def raise_if_stopped() -> None:
    """Stop if a signal was received but swallowed. Call this before publishing a result.

    Raises:
        KeyboardInterrupt: a signal was received.
    """
    if _received:
        raise KeyboardInterrupt


def ignore_signals() -> None:
    """Ignore further signals while the process ends."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt
