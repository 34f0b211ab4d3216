"""Work on a copy of a warehouse in a process of its own, killed or held at a point of the test's choosing."""

import os
import resource
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path

from processes import PROCESSES

from pipelines.errors import StudyflowError
from pipelines.settings import Settings
from pipelines.warehouse import connect
from pipelines.working_copy import working_copy

REFUSED = 7


def settings_of(database: Path, wait_seconds: float = 0) -> Settings:
    """Settings that only say which warehouse, and not to wait for others."""
    folder = database.parent
    settings = Settings((folder / "raw",), database, folder / "exports", datetime(2026, 8, 1, tzinfo=UTC))
    return replace(settings, wait_seconds=wait_seconds)


def put(database: Path, number: int, wait_seconds: float = 0) -> None:
    """Add a number to table `numbers`, which is made if need be."""
    with working_copy(settings_of(database, wait_seconds)) as copy, connect(copy.database) as connection:
        connection.execute("create table if not exists numbers (number integer)")
        connection.execute("insert into numbers values (?)", [number])


def numbers(database: Path) -> list[int]:
    """What is in the table, as somebody else reads it; nothing where there is no warehouse yet."""
    if not database.exists():
        return []
    with connect(database, read_only=True) as connection:
        return [number for (number,) in connection.execute("select number from numbers order by number").fetchall()]


def put_until(database: Path, number: int, touches: int) -> bool:
    """The same, killed before it touches a file or folder for the given time. False when it got through."""
    process = PROCESSES.Process(target=_put_until, args=(database, number, touches))
    process.start()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def put_in_room(database: Path, number: int, room_bytes: int) -> int:
    """The same where no file may become larger; the exit code, REFUSED if there was a clear error."""
    process = PROCESSES.Process(target=_put_in_room, args=(database, number, room_bytes))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def hold(database: Path, has_it: Event, may_go: Semaphore) -> None:
    """Work on the warehouse until told to end."""
    with working_copy(settings_of(database)) as copy:
        with connect(copy.database) as connection:
            connection.execute("insert into numbers values (100)")
        has_it.set()
        may_go.acquire()


def keep_open(database: Path, has_it: Event, may_go: Semaphore) -> None:
    """Look at the warehouse as a notebook does that stays open: it goes on seeing what it saw."""
    with connect(database, read_only=True) as connection:
        before = connection.execute("select number from numbers").fetchall()
        has_it.set()
        may_go.acquire()
        assert connection.execute("select number from numbers").fetchall() == before


def write_directly(database: Path, has_it: Event, may_go: Semaphore) -> None:
    """Write as dbt does: to the file itself, and without telling studyflow. Ends without closing it, as when killed."""
    with connect(database) as connection:
        connection.execute("set checkpoint_threshold = '1TB'")
        connection.execute("insert into numbers values (200)")
        has_it.set()
        may_go.acquire()
        os.kill(os.getpid(), signal.SIGKILL)


def _put_until(database: Path, number: int, touches: int) -> None:
    done = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        if event == "open" or event.startswith(("os.", "shutil.")):
            paths = (os.fsdecode(one) for one in arguments if isinstance(one, (str, bytes, os.PathLike)))
            if any(path.startswith(str(database.parent)) for path in paths):
                if done == touches:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1

    sys.addaudithook(watch)
    put(database, number)
    os._exit(0)


def _put_in_room(database: Path, number: int, room_bytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
    try:
        put(database, number)
    except StudyflowError as error:
        os._exit(REFUSED if "The warehouse is as it was before" in str(error) else 1)
    os._exit(0)
