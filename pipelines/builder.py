"""dbt in a process of its own, which gets ready while webhooks are loaded and then waits for the warehouse.

`Builder` starts it, says when it may open the warehouse, and takes its answer. The other side is `main`. They talk over
pipes: standard input has the settings, then GO; standard output has the answer. When standard input ends, the process that started
the process has ended, so it ends, too.
"""

import gc
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from signal import Signals
from threading import Thread
from types import TracebackType
from typing import IO, Self, cast

from pipelines import build
from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT, Settings

GO = b"go"


class Builder:
    """Builds all tables of a warehouse, once, in another process; nothing of that is left at the end of the block."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, started where it has not been."""
        process = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-m", __name__],
            cwd=Path(__file__).parents[1],  # where this package is found, installed or not
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the other
            env=os.environ
            | {
                "STUDYFLOW_PROJECT": str(PROJECT),  # which this process may know from the folder it was started in
                "PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker",  # as that ends
            },
        )
        _send(process, pickle.dumps(self.settings))
        return process

    def start(self) -> None:
        """Let dbt read the project. It does not open the warehouse yet."""
        _ = self.process

    def build(self) -> int:
        """Build every seed and model; how many. No connection to the warehouse may be open here.

        Raises:
            StudyflowError: a model failed, or the process was killed.
        """
        _send(self.process, GO)
        answer = cast("IO[bytes]", self.process.stdout).read()
        if not answer:
            code = self.process.wait()
            how = f"was killed ({Signals(-code).name})" if code < 0 else f"ended with code {code}"
            msg = f"{self.settings.warehouse}: the process that builds the tables {how}. Run the command again."
            raise StudyflowError(msg)
        made: int | StudyflowError = pickle.loads(answer)  # noqa: S301 - from this very package
        if isinstance(made, StudyflowError):
            raise made
        return made

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process at any point: the warehouse is a working copy."""
        if "process" in vars(self):
            self.process.kill()
            self.process.communicate()


def _send(process: subprocess.Popen[bytes], message: bytes) -> None:
    stream = cast("IO[bytes]", process.stdin)
    with suppress(BrokenPipeError):  # it has ended: its answer says why
        stream.write(message)
        stream.flush()


def main() -> None:
    """Get ready, wait, build, and answer on what was standard output: what dbt prints goes to standard error."""
    gc.disable()  # looking for garbage takes a tenth of dbt's time, and frees nothing that counts
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - from this very package
        build.may_open_warehouse.clear()
        Thread(target=_listen, daemon=True).start()
        try:
            answer: int | StudyflowError = build.build(settings)
        except StudyflowError as error:
            answer = error
        output.write(pickle.dumps(answer))
    os._exit(0)  # Python would take a second to clear dbt away


def _listen() -> None:
    if sys.stdin.buffer.read(len(GO)):
        build.may_open_warehouse.set()
        sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
