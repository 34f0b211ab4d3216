"""Where an export goes: whether it can go there, and what to say when it cannot."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from pipelines.errors import StudyflowError
from pipelines.export.replace import MANIFEST
from pipelines.settings import PACKAGE, PROJECT

REPOSITORIES = {".git", ".hg", ".svn"}
NOBODYS = {".gitkeep", ".gitignore", ".DS_Store", "desktop.ini", "Thumbs.db"}
"""Files that make no folder somebody's."""


def usable(folder: Path, never_inside: Iterable[Path] = ()) -> Path:
    """Where the folder really is, once it is sure that replacing it as a whole harms nobody.

    Raises:
        StudyflowError: it is a file, a mount point, write-protected, or has files of others but no export; or one of
            `never_inside`, the home folder, the project or the current folder lies in it.
    """
    place = folder.resolve()
    for problem in chain(_problems_around(place, never_inside), _problems_inside(place)):
        msg = f"{folder}: {problem}"
        raise StudyflowError(msg)
    return place


def _problems_around(place: Path, never_inside: Iterable[Path]) -> Iterator[str]:
    if place.exists() and not place.is_dir():
        yield "this is a file. Name a folder, or move the file away."
    if place.exists() and not os.access(place, os.W_OK | os.X_OK):
        yield "this folder is write-protected. Allow writing to it, or choose another."
    if place.is_mount():
        yield "an export replaces its folder as a whole, and this is a mount point. Name a folder inside it."
    for other in (*never_inside, Path.cwd(), PROJECT, PACKAGE, *_home()):
        if place in (other.resolve(), *other.resolve().parents):
            found = f"this is {other}" if place == other.resolve() else f"{other} is in it"
            yield f"an export replaces its folder as a whole, and {found}. Name a folder of its own."
    parent = next(one for one in place.parents if one.exists())
    if not parent.is_dir():
        yield f"{parent} is a file. Choose another folder."
    if not os.access(parent, os.W_OK | os.X_OK):
        yield f"an export is made beside the folder, and {parent} is write-protected. Choose another folder."


def _home() -> list[Path]:
    try:
        return [Path.home()]
    except RuntimeError:  # a service without one
        return []


def _problems_inside(place: Path) -> Iterator[str]:
    """Files of others stay where an export is, but the first export goes to a folder of its own."""
    if not place.exists():
        return
    names = {entry.name for entry in place.iterdir()}
    if names & REPOSITORIES:
        yield "this is the root of a repository. Name a folder of its own."
    if MANIFEST not in names and (others := sorted(names - NOBODYS)):
        yield (
            f"there is no export here yet, but there are files that studyflow did not write, e.g. {others[0]}. "
            "Name a new or an empty folder."
        )
    # The new folder could not get the group of the old one, and members of that group could no longer read it.
    with suppress(AttributeError):  # Windows has no groups
        group, parent = place.stat().st_gid, place.parent.stat()
        is_inherited = bool(parent.st_mode & stat.S_ISGID) and parent.st_gid == group
        if os.geteuid() != 0 and not is_inherited and group not in {os.getegid(), *os.getgroups()}:
            yield (
                f"this folder belongs to a group that you are not in (number {group}), so the group would lose access to the export. "
                "Join it, or choose another folder."
            )


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn an error of the system into a message that says what to do. The folder is unchanged.

    Raises:
        StudyflowError: in place of an OSError.
    """
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
