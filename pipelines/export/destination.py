"""Check whether an export can and should replace its folder, and explain why not."""

import csv
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.export.replace import MANIFEST, options_of_export
from pipelines.export.tables import ALL_PARTICIPANTS
from pipelines.settings import PACKAGE, PROJECT
from pipelines.state import is_sample

REPOSITORIES = {".git", ".hg", ".svn"}
IGNORED = {".gitkeep", ".gitignore", ".DS_Store", "desktop.ini", "Thumbs.db"}
"""A folder with only these files counts as empty."""


def check_destination(folder: Path, never_inside: Iterable[Path] = ()) -> Path:
    """The resolved folder, after checking that it is safe to replace it as a whole.

    Raises:
        StudyflowError: it is a file, a mount point or write-protected, or it has other files but no export, or it
            contains one of `never_inside`, the home folder, the project or the current folder.
    """
    resolved = folder.resolve()
    for problem in chain(_problems_around(resolved, never_inside), _problems_inside(resolved)):
        msg = f"{folder}: {problem}"
        raise StudyflowError(msg)
    return resolved


def _problems_around(folder: Path, never_inside: Iterable[Path]) -> Iterator[str]:
    if folder.exists() and not folder.is_dir():
        yield "this is a file. Name a folder, or move the file away."
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        yield "this folder is write-protected. Allow writing to it, or choose another."
    if folder.is_mount():
        yield "an export replaces its folder as a whole, and this is a mount point. Name a folder inside it."
    for other in (*never_inside, Path.cwd(), PROJECT, PACKAGE, Path(os.path.expanduser("~"))):  # noqa: PTH111 - Path.home() fails for a service user without one
        if folder in (other.resolve(), *other.resolve().parents):
            found = f"this is {other}" if folder == other.resolve() else f"{other} is in it"
            yield f"an export replaces its folder as a whole, and {found}. Name a folder of its own."
    parent = next(one for one in folder.parents if one.exists())
    if not parent.is_dir():
        yield f"{parent} is a file. Choose another folder."
    if not os.access(parent, os.W_OK | os.X_OK):
        yield f"an export is made beside the folder, and {parent} is write-protected. Choose another folder."


def _problems_inside(folder: Path) -> Iterator[str]:
    """Problems with the content of the folder. Other files may be added to an export later, but not be there first."""
    if not folder.exists():
        return
    names = {entry.name for entry in folder.iterdir()}
    if names & REPOSITORIES:
        yield "this is the root of a repository. Name a folder of its own."
    if MANIFEST not in names and (others := sorted(names - IGNORED)):
        yield (
            f"there is no export here yet, but there are files that studyflow did not write, e.g. {others[0]}. "
            "Name a new or an empty folder."
        )
    # The new folder could not get the group of the old one, and members of that group could no longer read it.
    with suppress(AttributeError):  # Windows has no groups
        group, parent = folder.stat().st_gid, folder.parent.stat()
        is_inherited = bool(parent.st_mode & stat.S_ISGID) and parent.st_gid == group
        if os.geteuid() != 0 and not is_inherited and group not in {os.getegid(), *os.getgroups()}:
            yield (
                f"this folder belongs to a group that you are not in (number {group}), so the group would lose access to the export. "
                "Join it, or choose another folder."
            )


def refuse_to_drop_most(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Compare the number of participants with that of the export in the folder. An export of the sample may be dropped.

    Raises:
        StudyflowError: the new export would have less than half as many participants, so its source is probably broken.
    """
    before = options_of_export(folder)
    if before is None or (before.get("is_sample") and not is_sample(connection)):
        return
    rows_before = before.get("participants")
    if not isinstance(rows_before, int):
        rows_before = _rows(folder / f"{ALL_PARTICIPANTS}.csv")
    rows_now = len(connection.table(f"marts.{ALL_PARTICIPANTS}"))
    if rows_before - rows_now > rows_before / 2:
        msg = (
            f"{folder}: the export there has {rows_before:,} participants, and this one would have {rows_now:,}. "
            "It was left as it is. Check --raw, --database and --as-of; if they are right, add --force."
        )
        raise StudyflowError(msg)


def _rows(file: Path) -> int:
    """The number of rows of a CSV file; 0 if it is unreadable. Manifests of earlier versions lack this number."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return max(0, sum(1 for _ in csv.reader(lines)) - 1)
    except (OSError, ValueError, csv.Error):
        return 0


@contextmanager
def explain_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError into a StudyflowError that says what to do. The folder is unchanged."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            msg = f"{folder}: the disk is full, so nothing was exported. Free some space, then try again."
        elif error.errno in {errno.EBUSY, errno.EXDEV}:
            msg = f"{folder}: the system does not let this folder be replaced as a whole. Name a folder inside it."
        else:
            msg = f"{folder}: cannot be written ({error.strerror or error}). Allow writing there, or choose another folder."
        raise StudyflowError(msg) from error
