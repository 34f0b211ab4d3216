"""Cells of a CSV file, in SQL: RFC 4180, the same text on every machine, nothing that a spreadsheet runs."""

from dataclasses import dataclass

import duckdb

_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
PLAIN = {"BOOLEAN", "INTEGER", "UINTEGER", "FLOAT", "DOUBLE", "DATE"} | _INTEGERS
INSTANT = "TIMESTAMP WITH TIME ZONE"

# = + - @ and their full-width and small forms, which some spreadsheets read as the same
_STARTS_FORMULA = r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}\x{FE66}\x{FE62}\x{FE63}\x{FE6B}]"
# white space that ends no cell, control and format characters, and quotes
_IGNORED_BEFORE = r'[\x00-\x08\x0B\x0C\x0E-\x20"\x7F-\x{A0}\p{Z}\p{Cf}]*'
# Where the list separator is a semicolon or tab, a spreadsheet starts a new cell at those whatever the quotes say.
_FORMULA = rf"(^|[;\t\r\n])({_IGNORED_BEFORE}{_STARTS_FORMULA})"
# What nearly all cells are made of. It needs neither care nor the time that care takes.
_HARMLESS = r"\w([\w .:-]*\w)?"
_NEEDS_QUOTES = r'^$|^\s|\s$|[",;\t\r\n]'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table and its DuckDB type."""

    name: str
    type: str

    @property
    def identifier(self) -> str:
        """The name as SQL."""
        escaped = self.name.replace('"', '""')
        return f'"{escaped}"'


def row(columns: list[Column]) -> str:
    """SQL of a whole line with its line end. Null is an empty cell, empty text is `""`."""
    return " || ',' || ".join(_cell(column) for column in columns) + " || chr(10)"


def header(connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> bytes:
    """The first line of a file. Names are text like any other, so the same rules hold for them."""
    cells = " || ',' || ".join(_text(f"cast(${n} as varchar)") for n in range(1, len(columns) + 1))
    [(line,)] = connection.execute(f"select {cells} || chr(10)", [column.name for column in columns]).fetchall()
    return str(line).encode()


def _cell(column: Column) -> str:
    """SQL of one cell."""
    if column.type == INSTANT:
        return _instant(column.identifier)
    if column.type in PLAIN or column.type.startswith("DECIMAL"):
        return f"coalesce(cast({column.identifier} as varchar), '')"
    return _text(f"cast({column.identifier} as varchar)")


def _instant(value: str) -> str:
    """ISO 8601 in UTC as Rally writes it, with milliseconds; microseconds only where there are any."""
    utc = f"{value} at time zone 'UTC'"
    return (
        f"coalesce(case when microsecond({value}) % 1000 = 0 then strftime({utc}, '%Y-%m-%dT%H:%M:%S.%gZ') "
        f"else strftime({utc}, '%Y-%m-%dT%H:%M:%S.%fZ') end, '')"
    )


def _text(value: str) -> str:
    """A single quote before what would start a formula, then quotes where the text needs them."""
    before = f"case when regexp_matches({value}, '^[\\t\\r\\n]') then '''' else '' end"
    safe = f"({before} || regexp_replace({value}, '{_FORMULA}', '\\1''\\2', 'g'))"
    quoted = f"""'"' || replace({safe}, '"', '""') || '"'"""
    return (
        f"coalesce(case when regexp_full_match({value}, '{_HARMLESS}') then {value} "
        f"when regexp_matches({safe}, '{_NEEDS_QUOTES}') then {quoted} else {safe} end, '')"
    )
