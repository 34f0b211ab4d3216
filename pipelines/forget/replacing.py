"""A file of someone's that is rewritten: others see it as it was or as it is then, and a crash loses nothing."""

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
    """What to write the new content to; it takes the place of the file when the block ends well. A link stays a link.

    Raises:
        SourceError: the file has other names.
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
    """Beside it, under a name that no load reads and that what was killed leaves for the next to clear."""
    return real.with_name(f".{real.name}.studyflow-forget")
