"""Find and remove the rows of a person in people.csv."""

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.csv_records import UnreadableError, column_name, records
from pipelines.errors import SourceError, StudyflowError
from pipelines.forget.file_replacement import replacing

PERSON, NAME, EMAIL = "person_id", "person_name", "email"


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """The number of a person's rows, names and email addresses that nobody else has, and the file without the rows."""

    rows: int = 0
    names: tuple[str, ...] = field(repr=False, default=())
    emails: tuple[str, ...] = field(repr=False, default=())
    other_rows: str = field(repr=False, default="")


def find(file: Path, person: str) -> FoundPerson:
    """The rows of a person in people.csv; an empty result if there is no such file.

    Raises:
        StudyflowError: the file cannot be read.
    """
    if not file.exists():
        return FoundPerson()
    header: list[str] = []
    rows, other_rows = 0, []
    of_person: dict[str, set[str]] = {NAME: set(), EMAIL: set()}
    of_others: dict[str, set[str]] = {NAME: {""}, EMAIL: {""}}
    try:
        for record in records(file):
            row = dict(zip(header, record.cells, strict=False))
            if row.get(PERSON) == person.strip():
                rows += 1
                _note(row, of_person)
                continue
            other_rows.append(record.text)
            _note(row, of_others)
            if not header and any(record.cells):
                header = [column_name(cell) for cell in record.cells]
    except UnreadableError as error:
        msg = f"{file}, line {error.line}: {error}" if error.line else f"{file}: {error}"
        raise StudyflowError(msg) from error
    names, emails = (tuple(sorted(of_person[column] - of_others[column])) for column in (NAME, EMAIL))
    return FoundPerson(rows, names, emails, "".join(other_rows))


def _note(row: dict[str, str], values: dict[str, set[str]]) -> None:
    """Add the name and email address of a row to `values`. The address is also added in lower case."""
    values[NAME].add(row.get(NAME, ""))
    values[EMAIL] |= {row.get(EMAIL, ""), row.get(EMAIL, "").lower()}


def remove_rows(file: Path, person: str) -> None:
    """Rewrite the file without the person's rows. The bytes of all other rows are kept.

    Raises:
        StudyflowError: the file cannot be read.
        SourceError: the file cannot be written, or has hard links, which would keep the old content.
    """
    other_rows = find(file, person).other_rows
    try:
        with replacing(file) as new:
            new.write(other_rows.encode())
    except OSError as error:
        msg = f"cannot be written ({error.strerror or error}). Make the file and its folder writable, then try again."
        raise SourceError(str(file), msg) from error
