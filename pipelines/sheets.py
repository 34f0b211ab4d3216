"""CSV files that people edit: read whole, with every problem named by file and line."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path

_BOOLEANS = frozenset({"", "true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"})
_LARGEST = 2**31 - 1


@dataclass(slots=True)
class Sheet:
    """A file's rows that are not blank, and what is wrong with it so far: line (0: the whole file) and sentence."""

    file: Path
    header: list[str] = field(default_factory=list)
    rows: list["Row"] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is wrong, in the order of lines."""
        return [sentence for _, sentence in sorted(self.found, key=lambda one: one[0])]

    def wrong(self, line: int, problem: str, remedy: str) -> None:
        """Note a problem."""
        place = f"{self.file}, line {line}" if line else str(self.file)
        self.found.append((line, f"{place}: {problem}. {remedy}"))

    def unique(self, key: str) -> None:
        """Note rows without a key, and keys that stand there twice."""
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
        """The cell must be one of the choices, or blank unless it is needed."""
        value = self.get(column)
        allowed = sorted({choice for choice in choices if choice})
        known = [choice.lower() for choice in allowed] if ignore_case else allowed
        if not value and needed:
            self.wrong(f"has no {column}", f"Choose one of: {', '.join(allowed)}.")
        elif value and (value.lower() if ignore_case else value) not in known:
            self.wrong(f"has {column} {value!r}, which is not known", f"Choose one of: {', '.join(allowed)}.")

    def whole_number(self, column: str, remedy: str) -> None:
        """The cell must be a whole number from 0, or blank."""
        value = self.get(column)
        if value and not (re.fullmatch(r"[0-9]{1,10}", value) and int(value) <= _LARGEST):
            self.wrong(f"has {column} {value!r}", remedy)

    def boolean(self, column: str) -> None:
        """The cell must be true or false, or blank."""
        if self.get(column).lower() not in _BOOLEANS:
            self.wrong(f"has {column} {self.get(column)!r}", "Write true or false.")

    def day(self, column: str) -> None:
        """The cell must be a day, year first, or blank."""
        value = self.get(column)
        try:
            is_day = not value or (len(value) == len("2026-07-31") and bool(date.fromisoformat(value)))
        except ValueError:
            is_day = False
        if not is_day:
            self.wrong(f"has {column} {value!r}", "Write a day like 2026-07-31.")


def read_sheet(file: Path, key: str, columns: tuple[str, ...]) -> Sheet:
    """Read a comma-separated file with a header. `key` must be among its columns; of the others any may be missing.

    The case of a column's name does not matter. Rows with more cells than the header are noted and left out.
    """
    sheet = Sheet(file)
    line = 1
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            sheet.header = header
            if not _is_header(sheet, header, key, columns):
                return sheet
            line = reader.line_num + 1
            for cells in reader:
                _take(sheet, line, header, cells)
                line = reader.line_num + 1
    except UnicodeDecodeError:
        sheet.wrong(0, "is not in UTF-8", "Save it as CSV in UTF-8.")
    except csv.Error as error:
        sheet.wrong(line, f"cannot be read as CSV ({error})", "Close what is in quotes.")
    except OSError as error:
        sheet.wrong(0, f"cannot be read ({error.strerror})", "Make it readable, or remove it.")
    return sheet


def _is_header(sheet: Sheet, header: list[str], key: str, columns: tuple[str, ...]) -> bool:
    if key not in header:
        found = ", ".join(name for name in header if name) or "none"
        is_split_otherwise = len(header) == 1 and key in re.split(r"[;\t]", header[0])
        remedy = "Separate the cells by commas." if is_split_otherwise else f"Columns found: {found}."
        sheet.wrong(1, f"lacks the column {key}", remedy)
        return False
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        sheet.wrong(1, f"has the column {name} twice", "Keep one of the two.")
    for name in header:
        meant = get_close_matches(name.replace(" ", "_"), columns, n=1, cutoff=0.8)
        if name not in columns and meant and meant[0] not in header:
            sheet.wrong(1, f"has a column {name!r}, which is not known", f"Rename it: {meant[0]}, if that is meant.")
    return True


def _take(sheet: Sheet, line: int, header: list[str], cells: list[str]) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if len(cells) > len(header):
        sheet.wrong(
            line, f"has {len(cells)} cells, but the header has {len(header)}", "Put a cell with a comma in quotes."
        )
        return
    sheet.rows.append(Row(sheet, line, {name: cell.strip() for name, cell in zip(header, cells, strict=False)}))
