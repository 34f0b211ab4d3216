"""Work in a process of its own that is killed at a point of the test's choosing."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from processes import PROCESSES

from pipelines.export import ExportOptions, export, replace
from pipelines.export.replace import replacement, workspace
from pipelines.warehouse import connect


@contextmanager
def replaced(folder: Path, files: Sequence[str]) -> Iterator[Path]:
    """A new folder to put these files into, which takes the place of the other."""
    with workspace(folder) as space, replacement(space, folder, files, {}, None) as new:
        yield new


def put(folder: Path, files: dict[str, str]) -> None:
    """Replace what is in a folder by these files."""
    with replaced(folder, list(files)) as new:
        for name, text in files.items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(text)


def export_from(folder: Path, database: Path) -> None:
    """Export what is in a database file."""
    with connect(database, read_only=True) as connection:
        export(connection, folder)


def export_by_study_from(folder: Path, database: Path) -> None:
    """The same with a folder for each study."""
    with connect(database, read_only=True) as connection:
        export(connection, folder, ExportOptions(by_study=True))


def killed(
    folder: Path, touches: int, work: Callable[[Path, Any], None], what: object, *, can_exchange: bool = True
) -> bool:
    """Do the work until it has touched what is beside or in the folder so many times. False when it got through."""
    process = PROCESSES.Process(target=_work_until, args=(folder, touches, work, what, can_exchange))
    process.start()
    process.join()
    if process.exitcode not in {0, -signal.SIGKILL}:
        msg = f"the work failed at touch {touches}"
        raise AssertionError(msg)
    return process.exitcode != 0


def _work_until(
    folder: Path,
    touches: int,
    work: Callable[[Path, Any], None],
    what: object,
    can_exchange: bool,  # noqa: FBT001
) -> None:
    """SIGKILL comes before the next opening, making, renaming or removing of something, so that takes no effect."""
    done = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        if event == "open" or event.startswith("os."):
            paths = (os.fsdecode(one) for one in arguments if isinstance(one, (str, bytes, os.PathLike)))
            is_in_tree = (
                event in {"os.remove", "os.rmdir"} and arguments[1] != -1
            )  # a tree is removed by names in its folders
            if is_in_tree or any(path.startswith(f"{folder.parent}{os.sep}") for path in paths):
                if done == touches:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1

    if not can_exchange:
        replace.swap_folders = lambda one, other: False  # type: ignore[attr-defined]  # noqa: ARG005
    sys.addaudithook(watch)
    work(folder, what)
    os._exit(0)
