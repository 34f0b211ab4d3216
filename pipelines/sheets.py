"""CSV files that people edit, as tables. All problems in a file are collected, with their lines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from operator import itemgetter
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
    """The rows of a file that are not blank, and the problems found in it.

    `found` has a problem's line (0: the whole file) and its sentence. `notes` are about things that are allowed but may
    be mistakes.
    """

    file: Path
    header: list[str] = field(default_factory=list)
    rows: list["Row"] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """The sentences of the problems, in the order of lines."""
        return [sentence for _, sentence in sorted(self.found, key=itemgetter(0))]

    def add_problem(self, line: int, problem: str, remedy: str) -> None:
        """Record a problem on a line (0: the whole file)."""
        place = f"{self.file}, line {line}" if line else str(self.file)
        self.found.append((line, f"{place}: {problem}. {remedy}"))

    def check_unique(self, key: str) -> None:
        """Check that each row has a key and no key appears twice."""
        seen: dict[str, int] = {}
        for row in self.rows:
            value = row.get(key)
            if not value:
                row.add_problem(f"has no {key}", "Write it, or remove the row.")
            elif value in seen:
                row.add_problem(f"has {key} {value!r} again, as line {seen[value]}", "Keep one of the two.")
            seen.setdefault(value, row.line)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: stripped cells by column, and the number of its first line. The checks record problems in the sheet.

    They also normalise the cell: `yes` becomes `true`, `007` becomes `7`.
    """

    sheet: Sheet
    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        """The cell of a column; empty if the file lacks the column."""
        return self.cells.get(column, "")

    def add_problem(self, problem: str, remedy: str) -> None:
        """Record a problem in this row."""
        self.sheet.add_problem(self.line, problem, remedy)

    def check_choice(self, column: str, choices: Iterable[str], *, required: bool, ignore_case: bool) -> None:
        """Check that the cell is one of the choices, or blank if it is not required."""
        value, allowed = self.get(column), sorted(choices)
        if not allowed:  # the file that lists the choices has problems of its own
            return
        known = {(choice.lower() if ignore_case else choice): choice for choice in allowed}
        choice = known.get(value.lower() if ignore_case else value)
        if choice:
            self.cells[column] = choice
        elif value:
            self.add_problem(f"has {column} {value!r}, which is unknown", f"Choose one of: {', '.join(allowed)}.")
        elif required:
            self.add_problem(f"has no {column}", f"Choose one of: {', '.join(allowed)}.")

    def check_whole_number(self, column: str, remedy: str) -> None:
        """Check that the cell is a whole number, 0 or more, or blank."""
        value = self.get(column)
        if not value:
            return
        if re.fullmatch(r"[0-9]{1,10}", value) and int(value) <= _LARGEST:
            self.cells[column] = str(int(value))
        else:
            self.add_problem(f"has {column} {value!r}", remedy)

    def check_boolean(self, column: str, *, blank: str) -> None:
        """Check that the cell is a boolean or blank. A blank cell becomes `blank`."""
        value = self.get(column) or blank
        if value.lower() in _BOOLEANS:
            self.cells[column] = _BOOLEANS[value.lower()]
        elif value:
            self.add_problem(f"has {column} {value!r}", "Write true or false.")

    def check_currency(self, column: str) -> None:
        """Check that the cell is a currency code or blank."""
        code = self.get(column).upper()
        if code and not re.fullmatch(r"[A-Z]{3}", code):
            self.add_problem(f"has {column} {self.get(column)!r}", "Write a three-letter code, e.g. USD.")
        self.cells[column] = code

    def check_day(self, column: str) -> None:
        """Check that the cell is a date like 2026-07-31 or blank."""
        value = self.get(column)
        if value and not is_date(value):
            self.add_problem(f"has {column} {value!r}", "Write a day, e.g. 2026-07-31.")


def is_date(text: str) -> bool:
    """Whether the text is a date like 2026-07-31."""
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) and date.fromisoformat(text))
    except ValueError:
        return False


def read_sheet(file: Path, key: str, columns: Iterable[str], *, restore: str | None = None) -> Sheet:
    """Read a file with a header. The column `key` is required.

    The other `columns` may be missing, additional ones are allowed, and rows may be short. With `restore`, which says
    where to get a missing column, all `columns` are required, others are refused, and each row must have all cells.
    Rows with more cells than the header are recorded as problems and left out.
    """
    sheet = Sheet(file)
    try:
        for record in records(file):
            if sheet.header:
                _add_row(sheet, record, is_strict=restore is not None)
            elif any(record.cells):
                sheet.header = [column_name(cell) for cell in record.cells]
                if not _check_header(sheet, record, key, tuple(columns), restore):
                    return sheet
    except UnreadableError as error:
        sheet.add_problem(error.line, error.problem, error.remedy)
        return sheet
    if not sheet.header:
        sheet.add_problem(1, f"lacks the column {key}", "Columns found: none.")
    return sheet


def _check_header(sheet: Sheet, record: Record, key: str, columns: tuple[str, ...], restore: str | None) -> bool:
    """Record problems in the header; return whether the rows can be read with it."""
    line, header = record.line, sheet.header
    if key not in header:
        found = ", ".join(cell for cell in record.cells if cell)
        has_other_delimiter = len(header) == 1 and key in map(column_name, re.split(r"[;\t|]", record.cells[0]))
        remedy = "Separate the cells by commas." if has_other_delimiter else f"Columns found: {found}."
        sheet.add_problem(line, f"lacks the column {key}", remedy)
        return False
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        for name in repeated:
            sheet.add_problem(line, f"has the column {name} twice", "Keep one of the two.")
        return False
    missing = [column for column in columns if column not in header]
    for cell, name in zip(record.cells, header, strict=True):
        similar = " or ".join(_similar_columns(name, missing))
        if name in columns or not (similar or restore):
            continue
        remedy = f"Rename it to {similar}." if similar else "Remove it."
        other = "" if restore else f" If it has another meaning, choose a name that is not part of {similar}."
        sheet.add_problem(line, f"has a column {cell!r}, which is unknown", remedy + other)
    if own := [cell for cell, name in zip(record.cells, header, strict=True) if name and name not in columns]:
        sheet.notes.append(f"{sheet.file}, line {line}: columns that studyflow does not use: {', '.join(own)}.")
    if restore:
        for column in missing:
            sheet.add_problem(line, f"lacks the column {column}", restore)
    return True


def _similar_columns(name: str, columns: list[str]) -> list[str]:
    """The columns whose names are similar to `name` or contain all of its words."""
    words = set(name.split("_")) - {""}
    return [
        column
        for column in columns
        if column in get_close_matches(name, columns, n=1, cutoff=0.8) or (words and words <= set(column.split("_")))
    ]


def _add_row(sheet: Sheet, record: Record, *, is_strict: bool) -> None:
    """Add the row unless it is blank. Blank cells after the last column are ignored: spreadsheets leave them there."""
    cells, width = record.cells, len(sheet.header)
    if not any(cells) and not (is_strict and len(cells) > width):
        return
    if any(cells[width:]) or (is_strict and len(cells) != width):
        remedy = "Put a cell with a comma in quotes." if len(cells) > width else "Also write the commas of blank cells."
        sheet.add_problem(record.line, f"has {len(cells)} cells, but the header has {width}", remedy)
        return
    sheet.rows.append(Row(sheet, record.line, dict(zip(sheet.header, cells, strict=False))))
