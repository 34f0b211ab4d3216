"""SQL that formats cells of CSV files: RFC 4180, the same on every machine, without formulas that spreadsheets run."""

from dataclasses import dataclass

import duckdb

_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
PLAIN = {"BOOLEAN", "INTEGER", "UINTEGER", "FLOAT", "DOUBLE", "DATE"} | _INTEGERS
INSTANT = "TIMESTAMP WITH TIME ZONE"

# = + - @ and their full-width and small variants, which some spreadsheets treat alike
_STARTS_FORMULA = r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}\x{FE66}\x{FE62}\x{FE63}\x{FE6B}]"
# White space within a cell, control and format characters, and quotes. Spreadsheets may skip them before a formula.
_IGNORED_BEFORE = r'[\x00-\x08\x0B\x0C\x0E-\x20"\x7F-\x{A0}\p{Z}\p{Cf}]*'
# If the list separator is a semicolon or tab, a spreadsheet starts a new cell there, even within quotes.
_FORMULA = rf"(^|[;\t\r\n])({_IGNORED_BEFORE}{_STARTS_FORMULA})"
# Nearly all cells match this. They need no escaping, which saves half of the time.
_HARMLESS = r"\w([\w .:-]*\w)?"
_NEEDS_QUOTES = r'^$|^\s|\s$|[",;\t\r\n]'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table and its DuckDB type."""

    name: str
    type: str

    @property
    def is_text(self) -> bool:
        """Whether its values are arbitrary text, which may need escaping."""
        return not (self.type in PLAIN or self.type == INSTANT or self.type.startswith("DECIMAL"))

    @property
    def is_cents(self) -> bool:
        """Whether it holds amounts in cents."""
        return self.name.endswith("_cents") and self.type in _INTEGERS | {"INTEGER"}

    @property
    def identifier(self) -> str:
        """The name as a quoted SQL identifier."""
        escaped = self.name.replace('"', '""')
        return f'"{escaped}"'


BYTE_ORDER_MARK = "\ufeff".encode()
"""Excel needs this to read a file as UTF-8."""


def row(columns: list[Column], *, for_excel: bool = False) -> str:
    """SQL of a line, including its newline. Null is an empty cell, empty text is `""`.

    `for_excel`: times in a form that spreadsheets recognise, and amounts in units of their currency.

    The SQL tests all text of a line at once. If all of it is harmless, cells are not escaped, which takes half the
    time.
    """
    escaped = _concat([_cell(column, for_excel) for column in columns])
    texts = [f"coalesce(cast({column.identifier} as varchar), '0')" for column in columns if column.is_text]
    if not texts:
        return escaped
    plain = _concat([_plain_cell(column, for_excel) for column in columns])
    joined, pattern = f"concat_ws(',', {', '.join(texts)})", ",".join([_HARMLESS] * len(texts))
    return f"case when regexp_full_match({joined}, '{pattern}') then {plain} else {escaped} end"


def _concat(cells: list[str]) -> str:
    """SQL of the cells joined by commas, with a newline. `||` would be slower: it copies the line for each cell."""
    joined = ", ',', ".join(cells)
    return f"concat({joined}, chr(10))"


def header(connection: duckdb.DuckDBPyConnection, columns: list[Column], *, for_excel: bool = False) -> bytes:
    """The first line of a file. Names of columns are escaped like other text."""
    names = [column.name.removesuffix("_cents") if for_excel and column.is_cents else column.name for column in columns]
    cells = " || ',' || ".join(_text(f"cast(${n} as varchar)") for n in range(1, len(columns) + 1))
    [(line,)] = connection.execute(f"select {cells} || chr(10)", names).fetchall()
    return (BYTE_ORDER_MARK if for_excel else b"") + str(line).encode()


def _cell(column: Column, for_excel: bool) -> str:  # noqa: FBT001
    """SQL of one escaped cell; never null."""
    if column.is_text:
        return _text(f"cast({column.identifier} as varchar)")
    return f"coalesce({_plain_cell(column, for_excel)}, '')"


def _plain_cell(column: Column, for_excel: bool) -> str:  # noqa: FBT001
    """SQL of one cell whose text needs no escaping; null for null."""
    if column.type == INSTANT:
        return _instant_for_excel(column.identifier) if for_excel else _instant(column.identifier)
    if for_excel and column.is_cents:
        return f"cast(cast({column.identifier} / 100.0 as decimal(38, 2)) as varchar)"
    return f"cast({column.identifier} as varchar)"


def _instant_for_excel(value: str) -> str:
    """SQL of an instant to the second and without a zone: spreadsheets treat a time with a zone as text."""
    return f"coalesce(strftime(make_timestamp(epoch_us({value})), '%Y-%m-%d %H:%M:%S'), cast({value} as varchar))"


def _instant(value: str) -> str:
    """SQL of an instant in UTC as Rally writes it, with milliseconds, or with microseconds if it has any.

    It is computed from microseconds since 1970, which is faster than `at time zone`. Infinity stays as DuckDB writes
    it.
    """
    utc = f"make_timestamp(epoch_us({value}))"
    return (
        f"case when epoch_us({value}) % 1000 = 0 then strftime({utc}, '%Y-%m-%dT%H:%M:%S.%gZ') "
        f"else coalesce(strftime({utc}, '%Y-%m-%dT%H:%M:%S.%fZ'), cast({value} as varchar)) end"
    )


def _text(value: str) -> str:
    """SQL of text with a single quote before anything that would start a formula, and in double quotes if necessary."""
    before = f"case when regexp_matches({value}, '^[\\t\\r\\n]') then '''' else '' end"
    safe = f"({before} || regexp_replace({value}, '{_FORMULA}', '\\1''\\2', 'g'))"
    quoted = f"""'"' || replace({safe}, '"', '""') || '"'"""
    return (
        f"coalesce(case when regexp_full_match({value}, '{_HARMLESS}') then {value} "
        f"when regexp_matches({safe}, '{_NEEDS_QUOTES}') then {quoted} else {safe} end, '')"
    )
