"""Standard output and standard error: always open, able to show any text, and no reason for work that is done to fail."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console


class Terminal(Console):
    """A console for names and ids from elsewhere, which are no markup. A closed pipe is an error like any other."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Raise the error again; rich would end the process with exit code 1."""
        raise  # noqa: PLE0704 - rich calls this while it handles the error


def prepare() -> None:
    """Open streams that the process was started without, and have them escape what their encoding lacks.

    Else the next file that is opened, the warehouse perhaps, would be standard output to everyone who writes there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def quiet_when_closed(stream: TextIO, problem: type[OSError] = BrokenPipeError) -> Iterator[None]:
    """Write to a stream and end early, without an error, if nobody reads on; or if there is any other `problem`."""
    try:
        yield
        stream.flush()
    except problem:
        discard(stream)


@contextmanager
def after_work(stream: TextIO) -> Iterator[None]:
    """Say what came of work that is done: a terminal, pipe or disk that takes no more text does not make it a failure."""
    with quiet_when_closed(stream, OSError):
        yield


def discard(stream: TextIO) -> None:
    """Send what is still written to a stream, at the end of the process too, to nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
