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
# Where the list separator is a semicolon or tab, a spreadsheet starts a new cell at those, even within quotes.
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
    def is_text(self) -> bool:
        """Whether cells of it may hold anything."""
        return not (self.type in PLAIN or self.type == INSTANT or self.type.startswith("DECIMAL"))

    @property
    def is_cents(self) -> bool:
        """Whether it holds amounts in cents."""
        return self.name.endswith("_cents") and self.type in _INTEGERS | {"INTEGER"}

    @property
    def identifier(self) -> str:
        """The name as SQL."""
        escaped = self.name.replace('"', '""')
        return f'"{escaped}"'


BYTE_ORDER_MARK = "\ufeff".encode()
"""What tells Excel that a file is in UTF-8."""


def row(columns: list[Column], *, for_excel: bool = False) -> str:
    """SQL of a whole line with its line end. Null is an empty cell, empty text is `""`.

    `for_excel`: times as spreadsheets read them, and amounts in units of their currency.

    Where all text of a line is harmless, which one look at it tells, its cells are what they are: half the time.
    """
    careful = _concat([_cell(column, for_excel) for column in columns])
    texts = [f"coalesce(cast({column.identifier} as varchar), '0')" for column in columns if column.is_text]
    if not texts:
        return careful
    plain = _concat([_plain_cell(column, for_excel) for column in columns])
    joined, pattern = f"concat_ws(',', {', '.join(texts)})", ",".join([_HARMLESS] * len(texts))
    return f"case when regexp_full_match({joined}, '{pattern}') then {plain} else {careful} end"


def _concat(cells: list[str]) -> str:
    """One call for a line: a chain of || copies it once for each cell."""
    joined = ", ',', ".join(cells)
    return f"concat({joined}, chr(10))"


def header(connection: duckdb.DuckDBPyConnection, columns: list[Column], *, for_excel: bool = False) -> bytes:
    """The first line of a file. Names are text like any other, so the same rules hold for them."""
    names = [column.name.removesuffix("_cents") if for_excel and column.is_cents else column.name for column in columns]
    cells = " || ',' || ".join(_text(f"cast(${n} as varchar)") for n in range(1, len(columns) + 1))
    [(line,)] = connection.execute(f"select {cells} || chr(10)", names).fetchall()
    return (BYTE_ORDER_MARK if for_excel else b"") + str(line).encode()


def _cell(column: Column, for_excel: bool) -> str:  # noqa: FBT001
    """SQL of one cell, never null."""
    if column.is_text:
        return _text(f"cast({column.identifier} as varchar)")
    return f"coalesce({_plain_cell(column, for_excel)}, '')"


def _plain_cell(column: Column, for_excel: bool) -> str:  # noqa: FBT001
    """SQL of one cell whose text is harmless; null for null."""
    if column.type == INSTANT:
        return _instant_for_excel(column.identifier) if for_excel else _instant(column.identifier)
    if for_excel and column.is_cents:
        return f"cast(cast({column.identifier} / 100.0 as decimal(38, 2)) as varchar)"
    return f"cast({column.identifier} as varchar)"


def _instant_for_excel(value: str) -> str:
    """To the second and without a zone, with which spreadsheets take it for text."""
    return f"coalesce(strftime(make_timestamp(epoch_us({value})), '%Y-%m-%d %H:%M:%S'), cast({value} as varchar))"


def _instant(value: str) -> str:
    """ISO 8601 in UTC as Rally writes it, with milliseconds; microseconds only where there are any.

    It goes by microseconds since 1970, because `at time zone` asks a calendar for every value. Infinity has none.
    """
    utc = f"make_timestamp(epoch_us({value}))"
    return (
        f"case when epoch_us({value}) % 1000 = 0 then strftime({utc}, '%Y-%m-%dT%H:%M:%S.%gZ') "
        f"else coalesce(strftime({utc}, '%Y-%m-%dT%H:%M:%S.%fZ'), cast({value} as varchar)) end"
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
