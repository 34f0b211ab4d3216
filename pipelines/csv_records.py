"""The only reader of CSV files that people edit. All code that needs such a file, or a row of it, uses this module.

The dialect: UTF-8 with or without a byte-order mark, commas, double quotes (doubled within a cell), any line ends.
White space around a cell, and in and around the name of a column, means nothing.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Record:
    """A row: the line on which it begins, its text with its line end as the file has it, and its stripped cells."""

    line: int
    text: str
    cells: list[str]


class UnreadableError(Exception):
    """The file is no CSV file: on which line (0: as a whole), what is wrong, and what to do."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.line = line
        self.problem = problem
        self.remedy = remedy


def column_name(cell: str) -> str:
    """The name of a column by its cell in the header: `Person ID` is person_id."""
    return re.sub(r"\s+", "_", cell.strip().lower())


def records(file: Path) -> Iterator[Record]:
    """All rows of a file, header and blank ones too. Their texts together are the file.

    Raises:
        UnreadableError: it cannot be opened, is in another encoding, or its quotes are wrong.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableError(0, f"cannot be read ({reason})", "Allow reading it, or remove it.") from error
    lines = io.StringIO(_decoded(content), newline="")
    pieces: list[str] = []

    def remembered() -> Iterator[str]:
        for text in lines:
            pieces.append(text)
            yield text.removeprefix(MARK) if len(pieces) == 1 and begins == 1 else text

    begins = 1
    reader = csv.reader(remembered(), strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            yield Record(begins, "".join(pieces), [cell.strip() for cell in cells])
            pieces.clear()
            begins = reader.line_num + 1
    except csv.Error as error:
        problem = f"cannot be read as CSV ({error})"
        if "end of data" in str(error):
            raise UnreadableError(begins, problem, "Add the closing quote.") from error
        remedy = "Put a comma after the closing quote of a cell, and write a quote inside a cell twice."
        raise UnreadableError(begins, problem, remedy) from error


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError(1, "is in UTF-16", "Save it as CSV in UTF-8.")
    if b"\0" in content:
        raise UnreadableError(_line_of(content, content.index(b"\0")), "has a NUL", "Save it as CSV in UTF-8.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(_line_of(content, error.start), "is not in UTF-8", "Save it as CSV in UTF-8.") from error


def _line_of(content: bytes, position: int) -> int:
    return len(re.findall(rb"\r\n|\r|\n", content[:position])) + 1
