"""The line of a person in people.csv."""

import csv
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import StudyflowError
from pipelines.system import flush_one


def rows_of(file: Path, person: str) -> int:
    """How many rows of the file are of the person.

    Raises:
        StudyflowError: it cannot be read.
    """
    return sum(theirs for _, theirs in _rows(file, person)) if file.exists() else 0


def take_out(file: Path, person: str) -> None:
    """Rewrite the file without them; all other rows stay as they are, byte for byte.

    Raises:
        StudyflowError: it cannot be read or written.
    """
    left = "".join(text for text, is_theirs in _rows(file, person) if not is_theirs)
    real = Path(os.path.realpath(file))
    new = real.with_name(f".{real.name}.studyflow-forget")
    try:
        new.write_bytes(left.encode("utf-8", "surrogateescape"))
        shutil.copymode(real, new)
        flush_one(new)
        new.replace(real)
        flush_one(real.parent)
    except OSError as error:
        msg = f"{file}: cannot be written ({error.strerror}). Allow writing there, then try again."
        raise StudyflowError(msg) from error
    finally:
        new.unlink(missing_ok=True)


def _rows(file: Path, person: str) -> Iterator[tuple[str, bool]]:
    """The text of each row, with its line end, and whether it is theirs. A row can go over several lines."""
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror})."
        raise StudyflowError(msg) from error
    pieces: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            pieces.append(line)
            yield line

    place = None
    try:
        for row in csv.reader(lines()):
            if place is None:
                names = [name.removeprefix("\ufeff").strip() for name in row]
                place = names.index("person_id") if "person_id" in names else -1
                yield "".join(pieces), False
            else:
                yield "".join(pieces), 0 <= place < len(row) and row[place].strip() == person.strip()
            pieces.clear()
    except csv.Error as error:
        msg = f"{file}: is no CSV that can be read ({error})."
        raise StudyflowError(msg) from error
    if pieces:
        yield "".join(pieces), False
