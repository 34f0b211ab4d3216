"""Change a warehouse in a copy beside it, which replaces it in one step. Readers see the warehouse of the last run."""

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
from pipelines.locks import folder_lock, lock_holder
from pipelines.migrations import migrate
from pipelines.settings import Settings
from pipelines.state import refuse_other_engine
from pipelines.system import sync
from pipelines.warehouse import connect, damaged, is_damaged, refuse_name, wal_of

OnWait = Callable[[str], object]
"""Called once, with a sentence, if this process has to wait for another one."""

COPY_BLOCK = 64 << 20
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def working_copy(settings: Settings, on_wait: OnWait | None = None) -> Iterator[Settings]:
    """The settings with a copy of the warehouse as database. The copy replaces the warehouse if the block succeeds.

    If the block fails or the process is killed, the warehouse is unchanged. Only one process at a time can have a
    working copy; others wait up to `settings.wait_seconds`. Readers are not blocked and keep the file that they opened.

    Raises:
        StudyflowError: another process has reserved the warehouse, studyflow did not make it, or the disk is full.
    """
    with reserved(settings, on_wait), copied(settings) as copy:
        yield copy


@contextmanager
def reserved(settings: Settings, on_wait: OnWait | None = None) -> Iterator[None]:
    """Keep other processes from changing the warehouse, and delete what a killed process left in its workspace.

    Use this with `copied` for steps that belong together: the exports of a run must be of the tables that it built.

    Raises:
        StudyflowError: another process has reserved the warehouse, or nothing can be written beside it.
    """
    database = _resolve_link(settings.database)
    refuse_name(database)
    workspace, seconds = _workspace(database), settings.wait_seconds

    def say_who_runs(process: int | None) -> None:
        if on_wait:
            who = f"process {process}" if process else "another process"
            on_wait(f"{database}: {who} is running on this warehouse. Waiting at most {seconds:.0f} seconds.")

    with ExitStack() as reservation:
        with _explain_errors(database):
            database.parent.mkdir(parents=True, exist_ok=True)
            if not reservation.enter_context(folder_lock(workspace, seconds, say_who_runs)):
                process = lock_holder(workspace)
                who = f"another studyflow (process {process})" if process else "another studyflow"
                msg = f"{database}: {who} is running on this warehouse. Try again when it has ended, or use a longer --wait."
                raise StudyflowError(msg)
            _delete(workspace / "work")
        yield


@contextmanager
def copied(settings: Settings, *, discard: bool = False) -> Iterator[Settings]:
    """A working copy of a warehouse that this process has `reserved`. Raises as `working_copy`.

    With `discard`, the copy is deleted when the block ends, and the warehouse stays as it is.
    """
    database = _resolve_link(settings.database)
    folder = _workspace(database) / "work"
    # The file keeps its name, because views name their database and DuckDB names a database after its file. The path is
    # the same in every run, because dbt parses the whole project again if a variable of its profile has changed.
    work = folder / database.name
    with _explain_errors(database):
        folder.mkdir()
        created = folder.stat()
        try:
            original = _copy(database, work)
            with connect(work) as connection:
                migrate(connection, database)
                refuse_other_engine(connection, settings)
            yield replace(settings, database=work, working_copy_of=settings.database)
            stopping.raise_if_stopped()
            if not _is_same(folder, created):
                msg = f"{database}: {folder} was removed during the run. The warehouse is as it was. Run again."
                raise StudyflowError(msg)
            if not discard:
                _put_in_place(work, database, original)
        finally:
            if _is_same(folder, created):
                shutil.rmtree(folder)


def _is_same(folder: Path, created: os.stat_result) -> bool:
    """Whether the folder is still the one that this process made. It may have been deleted, and made by another run."""
    return folder.exists() and os.path.samestat(folder.stat(), created)


def _workspace(database: Path) -> Path:
    return database.with_name(f".{database.name}.studyflow")


@contextmanager
def _explain_errors(database: Path) -> Iterator[None]:
    """Turn errors of DuckDB and the file system into a StudyflowError that says the warehouse is unchanged."""
    try:
        yield
    except duckdb.Error as error:
        if is_damaged(str(error)):
            raise StudyflowError(damaged(database, error)) from error
        if not isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException) and "write file" not in str(error):
            raise
        raise StudyflowError(_unchanged(database, str(error).split("\n", maxsplit=1)[0])) from error
    except OSError as error:
        if error.errno in DISK_FULL:
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


def _resolve_link(database: Path) -> Path:
    """The file of the warehouse. If `database` is a symbolic link, the run replaces the file, not the link."""
    real = Path(os.path.realpath(database)) if database.is_symlink() else database
    if real.is_symlink():
        msg = f"{database}: this link points to itself. Remove it, or choose another --database."
        raise StudyflowError(msg)
    return real


def _copy(database: Path, work: Path) -> os.stat_result | None:
    """Copy the warehouse to `work` and return its status at that time; None if there is no warehouse yet."""
    wal = wal_of(database)
    if not database.exists():
        if wal.exists():
            msg = f"{wal}: this belongs to a warehouse that no longer exists. Put the warehouse back, or move this file away."
            raise StudyflowError(msg)
        return None
    if wal.exists():
        with connect(database) as connection:  # dbt was killed: move what it had committed into the file
            connection.execute("checkpoint")
    with connect(database, read_only=True):  # no other process can write while this connection is open
        status = database.stat()
        _copy_bytes(database, work)
    with suppress(AttributeError, OSError):
        os.chown(work, status.st_uid, status.st_gid)  # fails unless this is root; the copy then has this user as owner
    shutil.copymode(database, work)
    return status


def _copy_bytes(database: Path, work: Path) -> None:
    """Copy a file, with `copy_file_range` if possible: some file systems then share blocks, in no time and space."""
    with database.open("rb") as old, work.open("wb") as new:
        try:
            while os.copy_file_range(old.fileno(), new.fileno(), COPY_BLOCK):
                pass
        except (AttributeError, OSError) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            old.seek(0)
            new.truncate(0)
            new.seek(0)
            shutil.copyfileobj(old, new, COPY_BLOCK)


def _put_in_place(work: Path, database: Path, original: os.stat_result | None) -> None:
    """Replace the warehouse by its copy. `original`: status of the warehouse when it was copied."""
    with connect(work) as connection:
        connection.execute("checkpoint")
    if wal_of(work).exists():
        msg = f"{database}: DuckDB did not finish writing the new warehouse. The old one is unchanged. Try again."
        raise StudyflowError(msg)
    sync(work)
    # This connection fails if another process is writing, and keeps others from writing until the file is replaced.
    with connect(database, read_only=True) if database.exists() else nullcontext():
        if _was_written_to(database, original):
            msg = f"{database}: another program, perhaps dbt, wrote to it during the run. It is unchanged; run again."
            raise StudyflowError(msg)
        work.replace(database)
    with suppress(OSError):
        sync(database.parent)


def _was_written_to(database: Path, before: os.stat_result | None) -> bool:
    if wal_of(database).exists():  # a writer was killed; DuckDB would not open the new file beside its WAL
        return True
    if before is None or not database.exists():
        return database.exists()
    now = database.stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns)


def _delete(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
