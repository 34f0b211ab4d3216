"""The row of a person in people.csv."""

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.csv_records import UnreadableError, column_name, records
from pipelines.errors import SourceError, StudyflowError
from pipelines.forget.replacing import replacing

PERSON, NAME, EMAIL = "person_id", "person_name", "email"


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """How many rows are of a person, names and email addresses in them that nobody else has, and the file without them."""

    theirs: int = 0
    names: tuple[str, ...] = field(repr=False, default=())
    emails: tuple[str, ...] = field(repr=False, default=())
    left: str = field(repr=False, default="")


def find(file: Path, person: str) -> FoundPerson:
    """What people.csv has of a person; nothing where there is no such file.

    Raises:
        StudyflowError: it cannot be read.
    """
    if not file.exists():
        return FoundPerson()
    header: list[str] = []
    theirs, left = 0, []
    said: dict[str, set[str]] = {NAME: set(), EMAIL: set()}
    of_others: dict[str, set[str]] = {NAME: {""}, EMAIL: {""}}
    try:
        for record in records(file):
            row = dict(zip(header, record.cells, strict=False))
            if row.get(PERSON) == person.strip():
                theirs += 1
                _note(row, said)
                continue
            left.append(record.text)
            _note(row, of_others)
            if not header and any(record.cells):
                header = [column_name(cell) for cell in record.cells]
    except UnreadableError as error:
        msg = f"{file}, line {error.line}: {error}" if error.line else f"{file}: {error}"
        raise StudyflowError(msg) from error
    names, emails = (tuple(sorted(said[column] - of_others[column])) for column in (NAME, EMAIL))
    return FoundPerson(theirs, names, emails, "".join(left))


def _note(row: dict[str, str], said: dict[str, set[str]]) -> None:
    """Add what a row says; the case of an email address does not matter, so that it is there in small letters, too."""
    said[NAME].add(row.get(NAME, ""))
    said[EMAIL] |= {row.get(EMAIL, ""), row.get(EMAIL, "").lower()}


def take_out(file: Path, person: str) -> None:
    """Rewrite the file without them; all other rows stay as they are, byte for byte.

    Raises:
        StudyflowError: it cannot be read.
        SourceError: it cannot be written, or has other names under which it would stay as it is.
    """
    left = find(file, person).left
    try:
        with replacing(file) as new:
            new.write(left.encode())
    except OSError as error:
        msg = f"cannot be written ({error.strerror or error}). Allow writing there, then try again."
        raise SourceError(str(file), msg) from error
