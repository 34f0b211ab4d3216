"""Standard output and standard error: always open and able to write any text. They never make finished work fail."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console


class Terminal(Console):
    """A console without markup, because names and ids may contain brackets. A closed pipe raises BrokenPipeError."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Raise the error again; rich would exit with code 1."""
        raise  # noqa: PLE0704 - rich calls this while it handles the error


def prepare() -> None:
    """Open the standard streams that are closed, and escape characters that their encoding lacks.

    If descriptor 1 were left closed, the next file opened (the warehouse, perhaps) would get it, and prints would go
    there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor, which is `number`
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def quiet_when_closed(stream: TextIO, problem: type[OSError] = BrokenPipeError) -> Iterator[None]:
    """End the block early, without an error, if the reader has closed the stream (or another `problem` occurs)."""
    try:
        yield
        stream.flush()
    except problem:
        with suppress(OSError, ValueError):  # all later output, also what is flushed at exit, goes to the null device
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


@contextmanager
def ignore_write_errors(stream: TextIO) -> Iterator[None]:
    """Print the result of finished work. The command succeeds even if the terminal, pipe or disk takes no more text."""
    with quiet_when_closed(stream, OSError):
        yield
