"""Run dbt in a second process, which starts up and parses the project while webhooks are loaded.

`Builder` is the parent's side, `main` the child's. The parent writes the pickled settings to the child's standard
input, and GO once the warehouse may be opened. The child writes its pickled answer to standard output. If its standard
input is closed, the parent has ended, and the child ends too.
"""

import gc
import os
import pickle
import subprocess
import sys
from contextlib import suppress
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
    """Builds all tables of a warehouse once, in a second process, which lives as long as the `with` block.

    The process parses the project at once, but opens the warehouse only when `build` is called.
    """

    process: subprocess.Popen[bytes]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def build(self) -> int:
        """Build every seed and model; return how many. This process must have closed its connections to the warehouse.

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
        result: int | StudyflowError = pickle.loads(answer)  # noqa: S301 - from our own child process
        if isinstance(result, StudyflowError):
            raise result
        return result

    def __enter__(self) -> Self:
        """Start the process."""
        self.process = subprocess.Popen(  # noqa: S603 - the running interpreter
            [sys.executable, "-m", __name__],
            cwd=Path(__file__).parents[1],  # `-m` finds the package here, installed or not
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches only the parent, which then kills the child
            env=os.environ
            | {
                "STUDYFLOW_PROJECT": str(PROJECT),  # the parent may have found it by its working directory
                "PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker",  # printed when it is killed
            },
        )
        _send(self.process, pickle.dumps(self.settings))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Kill the process, whatever it is doing: it only writes to a working copy of the warehouse."""
        self.process.kill()
        self.process.communicate()


def _send(process: subprocess.Popen[bytes], message: bytes) -> None:
    stream = cast("IO[bytes]", process.stdin)
    with suppress(BrokenPipeError):  # the process has ended; `build` reads why
        stream.write(message)
        stream.flush()


def main() -> None:
    """The child process: start dbt, build, and write the answer to standard output. dbt prints to standard error."""
    gc.disable()  # garbage collection takes a tenth of dbt's time and frees little memory
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent process
        build.may_open_warehouse.clear()
        Thread(target=_follow_parent, daemon=True).start()
        try:
            answer: int | StudyflowError = build.build(settings)
        except StudyflowError as error:
            answer = error
        output.write(pickle.dumps(answer))
    os._exit(0)  # a normal exit takes a second to tear dbt down


def _follow_parent() -> None:
    """Let dbt open the warehouse after GO, and end this process when the parent ends."""
    if sys.stdin.buffer.read(len(GO)):
        build.may_open_warehouse.set()
        sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
