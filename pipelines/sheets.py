"""CSV files that people edit, as tables: read whole, with every problem named by file and line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from pipelines.csv_records import Record, UnreadableError, column_name, records

_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), "true"),
    **dict.fromkeys(("false", "f", "no", "n", "0"), "false"),
}
_LARGEST = 2**31 - 1
RESTORE = "Restore it from version control."


@dataclass(slots=True)
class Sheet:
    """A file's rows that are not blank, and what is wrong with it so far: line (0: the whole file) and sentence.

    `notes` are sentences on what is right and may not be meant.
    """

    file: Path
    header: list[str] = field(default_factory=list)
    rows: list["Row"] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is wrong, in the order of lines."""
        return [sentence for _, sentence in sorted(self.found, key=lambda one: one[0])]

    def wrong(self, line: int, problem: str, remedy: str) -> None:
        """Note a problem."""
        place = f"{self.file}, line {line}" if line else str(self.file)
        self.found.append((line, f"{place}: {problem}. {remedy}"))

    def unique(self, key: str) -> None:
        """Note rows without a key, and keys that appear twice."""
        seen: dict[str, int] = {}
        for row in self.rows:
            value = row.get(key)
            if not value:
                row.wrong(f"has no {key}", "Write it, or remove the row.")
            elif value in seen:
                row.wrong(f"has {key} {value!r} again, as line {seen[value]}", "Keep one of the two.")
            seen.setdefault(value, row.line)


@dataclass(frozen=True, slots=True)
class Row:
    """Stripped cells by column, and the line on which they begin. What is wrong with them is noted in the sheet."""

    sheet: Sheet
    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        """A cell; empty where the file lacks the column."""
        return self.cells.get(column, "")

    def wrong(self, problem: str, remedy: str) -> None:
        """Note a problem of this row."""
        self.sheet.wrong(self.line, problem, remedy)

    def one_of(self, column: str, choices: Iterable[str], *, needed: bool = False, ignore_case: bool = False) -> None:
        """The cell must be one of the choices, or blank unless it is needed. It takes the case of the choice."""
        value = self.get(column)
        allowed = sorted({choice for choice in choices if choice})
        if not allowed:  # what the table that has them lacks is said there
            return
        known = {(choice.lower() if ignore_case else choice): choice for choice in allowed}
        found = known.get(value.lower() if ignore_case else value)
        if found:
            self.cells[column] = found
        elif value:
            self.wrong(f"has {column} {value!r}, which is unknown", f"Choose one of: {', '.join(allowed)}.")
        elif needed:
            self.wrong(f"has no {column}", f"Choose one of: {', '.join(allowed)}.")

    def whole_number(self, column: str, remedy: str = "Write a whole number.") -> None:
        """The cell must be a whole number from 0, or blank."""
        value = self.get(column)
        if not value:
            return
        if re.fullmatch(r"[0-9]{1,10}", value) and int(value) <= _LARGEST:
            self.cells[column] = str(int(value))
        else:
            self.wrong(f"has {column} {value!r}", remedy)

    def boolean(self, column: str, *, blank: str = "") -> None:
        """The cell must be true or false, or blank, which can stand for one of them."""
        value = self.get(column) or blank
        if value.lower() in _BOOLEANS:
            self.cells[column] = _BOOLEANS[value.lower()]
        elif value:
            self.wrong(f"has {column} {value!r}", "Write true or false.")

    def currency(self, column: str) -> None:
        """The cell must be the code of a currency, or blank."""
        code = self.get(column).upper()
        if code and not re.fullmatch(r"[A-Z]{3}", code):
            self.wrong(f"has {column} {self.get(column)!r}", "Write a three-letter code, e.g. USD.")
        self.cells[column] = code

    def day(self, column: str) -> None:
        """The cell must be a day, year first, or blank."""
        value = self.get(column)
        try:
            is_day = not value or bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and date.fromisoformat(value))
        except ValueError:
            is_day = False
        if not is_day:
            self.wrong(f"has {column} {value!r}", "Write a day, e.g. 2026-07-31.")


def read_sheet(
    file: Path, key: str, columns: Iterable[str], *, is_whole: bool = False, original: str = RESTORE
) -> Sheet:
    """Read a file with a header. `key` must be among its columns; of the others any may be missing.

    It may have columns of its own, and cells may be missing at the end of a row. A file that `is_whole` has all columns and
    no other ones, and all cells in each row; `original` says where a missing one is to be had. Rows with more cells than the
    header are noted and left out.
    """
    sheet = Sheet(file)
    try:
        for record in records(file):
            if sheet.header:
                _take(sheet, record, is_whole=is_whole)
            elif any(record.cells):
                sheet.header = [column_name(cell) for cell in record.cells]
                if not _is_header(sheet, record, key, tuple(columns), original if is_whole else None):
                    return sheet
    except UnreadableError as error:
        sheet.wrong(error.line, error.problem, error.remedy)
        return sheet
    if not sheet.header:
        sheet.wrong(1, f"lacks the column {key}", "Columns found: none.")
    return sheet


def _is_header(sheet: Sheet, record: Record, key: str, columns: tuple[str, ...], original: str | None) -> bool:
    """Note what is wrong with the header; whether rows can be read by it. `original`: of a file that is whole."""
    line, header, is_whole = record.line, sheet.header, original is not None
    if key not in header:
        found = ", ".join(cell for cell in record.cells if cell)
        is_split_otherwise = len(header) == 1 and key in map(column_name, re.split(r"[;\t|]", record.cells[0]))
        remedy = "Separate the cells by commas." if is_split_otherwise else f"Columns found: {found}."
        sheet.wrong(line, f"lacks the column {key}", remedy)
        return False
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        for name in twice:
            sheet.wrong(line, f"has the column {name} twice", "Keep one of the two.")
        return False
    missing = [column for column in columns if column not in header]
    for cell, name in zip(record.cells, header, strict=True):
        meant = " or ".join(_meant(name, missing))
        if name in columns or not (meant or is_whole):
            continue
        remedy = f"Rename it to {meant}." if meant else "Remove it."
        other = "" if is_whole else f" If it has another meaning, choose a name that is not part of {meant}."
        sheet.wrong(line, f"has a column {cell!r}, which is unknown", remedy + other)
    if own := [cell for cell, name in zip(record.cells, header, strict=True) if name and name not in columns]:
        sheet.notes.append(f"{sheet.file}, line {line}: columns that studyflow does not use: {', '.join(own)}.")
    if original:
        for column in missing:
            sheet.wrong(line, f"lacks the column {column}", original)
    return True


def _meant(name: str, columns: list[str]) -> list[str]:
    """The columns that someone may have meant by a name that is like them, or by some of their words."""
    words = set(name.split("_")) - {""}
    return [
        column
        for column in columns
        if column in get_close_matches(name, columns, n=1, cutoff=0.8) or (words and words <= set(column.split("_")))
    ]


def _take(sheet: Sheet, record: Record, *, is_whole: bool) -> None:
    """Take a row that is not blank. Blank cells behind the last column of the header are what spreadsheets leave there."""
    cells, width = record.cells, len(sheet.header)
    if not any(cells) and not (is_whole and len(cells) > width):
        return
    if any(cells[width:]) or (is_whole and len(cells) != width):
        remedy = "Put a cell with a comma in quotes." if len(cells) > width else "Also write the commas of blank cells."
        sheet.wrong(record.line, f"has {len(cells)} cells, but the header has {width}", remedy)
        return
    sheet.rows.append(Row(sheet, record.line, dict(zip(sheet.header, cells, strict=False))))
