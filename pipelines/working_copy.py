"""The warehouse as others see it is that of the last run that ended: work is done on a copy that takes its place."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from pipelines import stopping
from pipelines.errors import StudyflowError
from pipelines.locks import alone, holder
from pipelines.migrations import migrate
from pipelines.settings import Settings
from pipelines.state import refuse_other_engine
from pipelines.system import flush_one
from pipelines.warehouse import connect, damaged, is_damaged, refuse_name, wal_of

Waiting = Callable[[str], object]
"""Told once, in a sentence, that another process must end first."""

COPIED_AT_ONCE = 64 << 20
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def working_copy(settings: Settings, waiting: Waiting | None = None) -> Iterator[Settings]:
    """The settings with a warehouse that nobody else sees; when the block ends well, it takes the place of theirs.

    When it does not, however it ends, theirs is as it was. Only one process at a time works on a warehouse: others wait
    for `settings.wait_seconds`. Those who read it are never in the way, and go on with what they opened.

    Raises:
        StudyflowError: somebody else is at work on it, it is no warehouse of ours, or there is no room for the copy.
    """
    with reserved(settings, waiting), copied(settings) as copy:
        yield copy


@contextmanager
def reserved(settings: Settings, waiting: Waiting | None = None) -> Iterator[None]:
    """Nobody else works on the warehouse meanwhile, and what a killed process left there is gone.

    For those who do more than one thing that belong together: the exports of a run are of its own tables.

    Raises:
        StudyflowError: somebody else is at work on it, or nothing can be written beside it.
    """
    database = _real(settings.database)
    refuse_name(database)
    workspace, seconds = _workspace(database), settings.wait_seconds

    def tell(process: int | None) -> None:
        if waiting and seconds:
            who = f"process {process}" if process else "another process"
            waiting(f"{database}: {who} is running on this warehouse. Waiting at most {seconds:.0f} seconds.")

    with ExitStack() as reservation:
        with _explained(database):
            database.parent.mkdir(parents=True, exist_ok=True)
            if not reservation.enter_context(alone(workspace, seconds, tell)):
                process = holder(workspace)
                who = f"another studyflow (process {process})" if process else "another studyflow"
                msg = f"{database}: {who} is running on this warehouse. Try again when it has ended, or use a longer --wait."
                raise StudyflowError(msg)
            _clear(workspace / "work")
        yield


@contextmanager
def copied(settings: Settings) -> Iterator[Settings]:
    """A working copy, for those who have reserved the warehouse. Raises the same."""
    database = _real(settings.database)
    with _explained(database), _work_folder(database) as place:
        made = place.stat()
        work = _work_file(place, database)
        seen = _copy(database, work)
        with connect(work) as connection:
            migrate(connection, database)
            refuse_other_engine(connection, settings)
        yield replace(settings, database=work, named=settings.database)
        stopping.raise_if_asked()
        if not _is_same(place, made):
            msg = f"{database}: {place} was removed during the run. The warehouse is as it was. Run again."
            raise StudyflowError(msg)
        _put_in_place(work, database, seen)


@contextmanager
def scratch_copy(settings: Settings) -> Iterator[Settings]:
    """A copy that is thrown away, likewise for those who have reserved the warehouse. Raises the same."""
    database = _real(settings.database)
    with _explained(database), _work_folder(database) as place:
        work = _work_file(place, database)
        _copy(database, work)
        yield replace(settings, database=work, named=settings.database)


@contextmanager
def _work_folder(database: Path) -> Iterator[Path]:
    """A folder beside the warehouse, gone at the end."""
    place = _workspace(database) / "work"
    place.mkdir()
    made = place.stat()
    try:
        yield place
    finally:
        if _is_same(place, made):
            _clear(place)


def _work_file(place: Path, database: Path) -> Path:
    # The same file name: views name the database that they are in, and DuckDB calls it by its file. And always the same
    # path: dbt reads the whole project anew where a variable of its profile has changed.
    return place / database.name


def _is_same(place: Path, made: os.stat_result) -> bool:
    """False where it was cleared away under this process: then there is nothing there, or another's copy."""
    return place.exists() and os.path.samestat(place.stat(), made)


def _workspace(database: Path) -> Path:
    return database.with_name(f".{database.name}.studyflow")


@contextmanager
def _explained(database: Path) -> Iterator[None]:
    """Say what the file system or DuckDB had against it, and that nothing has happened."""
    try:
        yield
    except duckdb.Error as error:
        if is_damaged(str(error)):
            raise StudyflowError(damaged(database, error)) from error
        if not isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException) and "write file" not in str(error):
            raise
        raise StudyflowError(_unchanged(database, str(error).split("\n", maxsplit=1)[0])) from error
    except OSError as error:
        if error.errno in NO_ROOM:
            problem = f"the disk is full ({error.strerror})"
        elif database.parent.is_dir():
            problem = f"{error.filename or database.parent} cannot be written ({error.strerror})"
        else:
            msg = f"{database}: cannot be created ({error.strerror}). Choose another --database."
            raise StudyflowError(msg) from error
        raise StudyflowError(_unchanged(database, problem)) from error


def _unchanged(database: Path, problem: str) -> str:
    return (
        f"{database}: {problem}. The warehouse is as it was before. A run needs disk space beside it for a copy; "
        "free some, or choose another --database or STUDYFLOW_TEMP_DIRECTORY."
    )


def _real(database: Path) -> Path:
    """Where the warehouse lies: a link to it stays a link."""
    real = Path(os.path.realpath(database)) if database.is_symlink() else database
    if real.is_symlink():
        msg = f"{database}: this link points to itself. Remove it, or choose another --database."
        raise StudyflowError(msg)
    return real


def _copy(database: Path, work: Path) -> os.stat_result | None:
    """Copy the warehouse, if there is one, while nobody writes to it; what it was then."""
    wal = wal_of(database)
    if not database.exists():
        if wal.exists():
            msg = f"{wal}: this belongs to a warehouse that no longer exists. Put the warehouse back, or move this file away."
            raise StudyflowError(msg)
        return None
    if wal.exists():
        with connect(database) as connection:  # dbt was killed: what it had committed belongs into the file
            connection.execute("checkpoint")
    with connect(database, read_only=True):  # while this is open, no other process can write
        seen = database.stat()
        _copy_bytes(database, work)
    with suppress(AttributeError, OSError):
        os.chown(work, seen.st_uid, seen.st_gid)  # only root may; others make it their own
    shutil.copymode(database, work)
    return seen


def _copy_bytes(database: Path, work: Path) -> None:
    """Within the system where it can, which on some file systems takes neither time nor room."""
    with database.open("rb") as old, work.open("wb") as new:
        try:
            while os.copy_file_range(old.fileno(), new.fileno(), COPIED_AT_ONCE):
                pass
        except (AttributeError, OSError) as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise
            old.seek(0)
            new.truncate(0)
            new.seek(0)
            shutil.copyfileobj(old, new, COPIED_AT_ONCE)


def _put_in_place(work: Path, database: Path, seen: os.stat_result | None) -> None:
    with connect(work) as connection:
        connection.execute("checkpoint")
    if wal_of(work).exists():
        msg = f"{database}: DuckDB did not finish writing the new warehouse. The old one is unchanged. Try again."
        raise StudyflowError(msg)
    flush_one(work)
    # fails where another process writes to it, and lets none begin before it is replaced
    with connect(database, read_only=True) if database.exists() else nullcontext():
        if _was_written_to(database, seen):
            msg = f"{database}: another program, perhaps dbt, wrote to it during the run. It is unchanged; run again."
            raise StudyflowError(msg)
        work.replace(database)
    with suppress(OSError):
        flush_one(database.parent)


def _was_written_to(database: Path, seen: os.stat_result | None) -> bool:
    if wal_of(database).exists():  # by one that was killed: DuckDB would not open the new file beside it
        return True
    if not database.exists():
        return False
    now = database.stat()
    return seen is None or (now.st_ino, now.st_size, now.st_mtime_ns) != (seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _clear(place: Path) -> None:
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
