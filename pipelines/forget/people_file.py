"""The line of a person in people.csv."""

import os
import shutil
from pathlib import Path

from pipelines.csv_records import UnreadableError, without
from pipelines.errors import StudyflowError
from pipelines.system import flush_one


def rows_of(file: Path, person: str) -> int:
    """How many rows of the file are of the person.

    Raises:
        StudyflowError: it cannot be read.
    """
    return _without(file, person)[1] if file.exists() else 0


def take_out(file: Path, person: str) -> None:
    """Rewrite the file without them; all other rows stay as they are, byte for byte.

    Raises:
        StudyflowError: it cannot be read or written.
    """
    left, _ = _without(file, person)
    real = Path(os.path.realpath(file))
    new = real.with_name(f".{real.name}.studyflow-forget")
    try:
        new.write_bytes(left.encode())
        shutil.copymode(real, new)
        flush_one(new)
        new.replace(real)
        flush_one(real.parent)
    except OSError as error:
        msg = f"{file}: cannot be written ({error.strerror}). Allow writing there, then try again."
        raise StudyflowError(msg) from error
    finally:
        new.unlink(missing_ok=True)


def _without(file: Path, person: str) -> tuple[str, int]:
    try:
        return without(file, "person_id", person)
    except UnreadableError as error:
        msg = f"{file}, line {error.line}: {error}" if error.line else f"{file}: {error}"
        raise StudyflowError(msg) from error
