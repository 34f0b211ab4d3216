"""Write a sheet of a workbook: typed cells, a frozen header with a filter, and columns as wide as their content."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.export.cells import INSTANT, Column

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

HIGHEST_SHEET = 1_048_575
"""Rows that a sheet can hold below its header."""

PERCENT = re.compile(r"(conversion|share|chance)_.*|.*_(share|low|high)|.*_rate|percentile|completeness")
"""Names of columns with shares from 0 to 1. Other decimal numbers are hours, days or the like."""

_NARROWEST, _WIDEST = 7, 60
_LONGEST_TEXT = 32_767
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STARTS_FORMULA = tuple("=+-@'")
_DAY = timedelta(days=1)
# Excel has a day in 1900 that did not exist. From `_FIRST` on, its numbers of days count from `_EPOCH`.
_EPOCH, _FIRST = datetime(1899, 12, 30, tzinfo=UTC), datetime(1900, 3, 1, tzinfo=UTC)
_LARGEST_INTEGER = 2**53


class Formats:
    """The cell formats of a workbook."""

    def __init__(self, book: "Workbook") -> None:
        self.header: Format = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF4", "valign": "top"})
        self.title: Format = book.add_format({"bold": True, "font_size": 14})
        self.link: Format = book.add_format({"underline": 1, "font_color": "#0B5394"})
        self.text: Format = book.add_format({"num_format": "@"})
        self.quoted: Format = book.add_format({"num_format": "@", "quote_prefix": True})
        self.whole: Format = book.add_format({"num_format": "#,##0"})
        self.number: Format = book.add_format({"num_format": "#,##0.0"})
        self.percent: Format = book.add_format({"num_format": "0.0%"})
        self.instant: Format = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.day: Format = book.add_format({"num_format": "yyyy-mm-dd"})

    def of(self, column: Column) -> "Format":
        """The format for numbers or times in a column."""
        if column.type in {INSTANT, "DATE"}:
            return self.instant if column.type == INSTANT else self.day
        if column.type in {"FLOAT", "DOUBLE"} or column.type.startswith("DECIMAL"):
            return self.percent if PERCENT.fullmatch(column.name) else self.number
        return self.whole


def write_sheet(page: "Worksheet", formats: Formats, columns: list[Column], rows: Iterable[tuple[object, ...]]) -> None:
    """Write the header and the rows one after the other, with only one row in memory."""
    for index, column in enumerate(columns):
        page.write_string(0, index, column.name, formats.header)
    column_formats = [formats.of(column) for column in columns]
    # At least the width of the header with the button of its filter.
    widths = [max(_NARROWEST, len(column.name) + 3) for column in columns]
    last = 0
    for last, row in enumerate(rows, start=1):
        for index, value in enumerate(row):
            if value is not None:
                width = _write(page, formats, (last, index), value, column_formats[index])
                widths[index] = max(widths[index], width)
    for index, width in enumerate(widths):
        page.set_column(index, index, min(width, _WIDEST))
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, last, len(columns) - 1)
    # Ids that look like numbers are text on purpose: no warning triangles.
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{HIGHEST_SHEET + 1}"})


def _write(page: "Worksheet", formats: Formats, cell: tuple[int, int], value: Any, look: "Format") -> int:  # noqa: ANN401
    """Write a value as a typed cell, or as text if spreadsheets cannot represent it. Returns its width."""
    match value:
        case bool():
            page.write_boolean(*cell, value)
            return 6
        case int() | float() | Decimal() if -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            page.write_number(*cell, value, look)
            return len(f"{value:,.0f}") + 3
        case date() if (moment := _moment(value)) and moment >= _FIRST:
            page.write_number(*cell, (moment - _EPOCH) / _DAY, look)
            return 17
        case date():
            text = value.isoformat()
        case _:  # also a day before the year 1, which comes as text: Go's zero time in western time zones
            text = str(value)
    text = _NO_XML.sub(_escaped, text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) > _LONGEST_TEXT:
        text = text[: _LONGEST_TEXT - 1] + "…"
    page.write_string(*cell, text, formats.quoted if text.startswith(_STARTS_FORMULA) else formats.text)
    return len(text) + 2


def _moment(value: date) -> datetime | None:
    """The instant, or the start of the day; None for infinity, which DuckDB returns as a time without a zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo else None
    return datetime.combine(value, time(), UTC)


def _escaped(found: re.Match[str]) -> str:
    r"""A character that XML cannot hold, as an escape like `\x1b`."""
    return found[0].encode("unicode_escape").decode("ascii")
