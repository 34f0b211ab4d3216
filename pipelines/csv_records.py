"""Reads CSV files that people edit. All code that reads such a file uses this module.

The dialect: UTF-8 with or without a byte-order mark, commas, double quotes (doubled within a cell), any line ends.
White space around cells is ignored.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Record:
    """A row: the number of its first line, its text as in the file (with its line end), and its stripped cells."""

    line: int
    text: str
    cells: list[str]


class UnreadableError(Exception):
    """The file cannot be read as CSV. `line` is 0 if the problem is with the whole file."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.line = line
        self.problem = problem
        self.remedy = remedy


def column_name(cell: str) -> str:
    """The column name that a header cell stands for: person_id for `Person ID`."""
    return re.sub(r"\s+", "_", cell.strip().lower())


def records(file: Path) -> Iterator[Record]:
    """Yield all rows of a file, including the header and blank rows. Their texts, joined, are the file.

    Raises:
        UnreadableError: the file cannot be opened, is not in UTF-8, or has wrong quotes.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableError(0, f"cannot be read ({reason})", "Make it readable, or remove it.") from error
    lines = io.StringIO(_decoded(content), newline="")
    pieces: list[str] = []

    def recorded_lines() -> Iterator[str]:
        for text in lines:
            pieces.append(text)
            yield text.removeprefix(BYTE_ORDER_MARK) if len(pieces) == 1 and first_line == 1 else text

    first_line = 1
    reader = csv.reader(recorded_lines(), strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            yield Record(first_line, "".join(pieces), [cell.strip() for cell in cells])
            pieces.clear()
            first_line = reader.line_num + 1
    except csv.Error as error:
        problem = f"cannot be read as CSV ({error})"
        if "end of data" in str(error):
            raise UnreadableError(first_line, problem, "Add the closing quote.") from error
        remedy = "Put a comma after the closing quote of a cell, and write a quote inside a cell twice."
        raise UnreadableError(first_line, problem, remedy) from error


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
