"""Rewrite a user's file in one step: readers see the old or the new content, and a crash loses nothing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipelines.errors import SourceError
from pipelines.system import sync


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """A new file to write to. It replaces `file` if the block succeeds. Of a symbolic link, the target is replaced.

    Raises:
        SourceError: the file has hard links.
        OSError: it cannot be written.
    """
    real = Path(os.path.realpath(file))
    if real.stat().st_nlink > 1:
        msg = "has hard links, which would keep the old content. Remove them, then try again."
        raise SourceError(str(file), msg)
    new = draft_of(real)
    new.unlink(missing_ok=True)
    try:
        with new.open("xb") as opened:
            yield opened
        shutil.copymode(real, new)
        with suppress(OSError, AttributeError):
            os.chown(new, real.stat().st_uid, real.stat().st_gid)
        sync(new)
        new.replace(real)
        sync(real.parent)
    finally:
        new.unlink(missing_ok=True)


def draft_of(real: Path) -> Path:
    """The path of the new file: hidden, so that no load reads it, and fixed, so that the next command can clear it."""
    return real.with_name(f".{real.name}.studyflow-forget")
