"""Where an export goes: whether it can go there, and what to say when it cannot."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import StudyflowError


def usable(folder: Path, never_inside: Iterable[Path]) -> Path:
    """Where the folder really is, once it is sure that replacing it as a whole harms nobody.

    Raises:
        StudyflowError: it is a file, a mount point or write-protected, or one of `never_inside` lies in it.
    """
    place = folder.resolve()
    if place.exists() and not place.is_dir():
        msg = f"{folder}: this is a file. Name a folder, or move the file away."
        raise StudyflowError(msg)
    if place.exists() and not os.access(place, os.W_OK | os.X_OK):
        msg = f"{folder}: this folder is write-protected. Allow writing to it, or choose another."
        raise StudyflowError(msg)
    if place.is_mount():
        msg = f"{folder}: an export replaces its folder as a whole, and this is a mount point. Name a folder inside it."
        raise StudyflowError(msg)
    for other in never_inside:
        if place in (other.resolve(), *other.resolve().parents):
            msg = f"{folder}: an export replaces its folder as a whole, and {other} is in it. Name a folder of its own."
            raise StudyflowError(msg)
    return place


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what the system says into what a person can do. Whatever was in the folder is as it was.

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
