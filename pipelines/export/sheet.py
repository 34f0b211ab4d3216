"""One sheet of a workbook: a typed cell for each value, the header frozen, a filter, columns as wide as what they hold."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.export.cells import INSTANT, Column

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

HIGHEST_SHEET = 1_048_575
"""Rows that a sheet can hold below its header."""

PERCENT = re.compile(r"(conversion|share)_.*|.*_rate|percentile|completeness")
"""Columns that hold a share, from 0 to 1; other numbers with decimals are hours, days or the like."""

_NARROWEST, _WIDEST = 7, 60
_LONGEST_TEXT = 32_767
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STARTS_FORMULA = tuple("=+-@'")
_DAY = timedelta(days=1)
# Excel counts a day in 1900 that there was not; from here on its numbers are everybody's.
_EPOCH, _FIRST = datetime(1899, 12, 30, tzinfo=UTC), datetime(1900, 3, 1, tzinfo=UTC)
_LARGEST_INTEGER = 2**53

Writer = Callable[[int, int, Any], int]


class Formats:
    """How cells look, made once for a workbook."""

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


def write_sheet(page: "Worksheet", formats: Formats, columns: list[Column], rows: Iterable[tuple[object, ...]]) -> None:
    """Write header and rows, in their order, so that only one row is held in memory."""
    for place, column in enumerate(columns):
        page.write_string(0, place, column.name, formats.header)
    writers = [_writer(page, formats, column) for column in columns]
    # The header's own width, with the button of its filter.
    widths = [max(_NARROWEST, len(column.name) + 3) for column in columns]
    last = 0
    for last, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if value is not None:
                widths[place] = max(widths[place], writers[place](last, place, value))
    for place, width in enumerate(widths):
        page.set_column(place, place, min(width, _WIDEST))
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, last, len(columns) - 1)
    # Ids that look like numbers are text, and no mistake.
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{HIGHEST_SHEET + 1}"})


def _writer(page: "Worksheet", formats: Formats, column: Column) -> Writer:
    """What writes a value of the column and says how wide it is."""
    text = _text_writer(page, formats)
    if column.type == "BOOLEAN":

        def boolean(row: int, place: int, value: bool) -> int:  # noqa: FBT001
            page.write_boolean(row, place, value)
            return 6

        return boolean
    if column.type in {INSTANT, "DATE"}:
        return _time_writer(page, formats, text)
    if column.is_text:
        return text
    has_decimals = column.type in {"FLOAT", "DOUBLE"} or column.type.startswith("DECIMAL")
    shown = formats.whole if not has_decimals else formats.percent if PERCENT.fullmatch(column.name) else formats.number

    def number(row: int, place: int, value: Any) -> int:  # noqa: ANN401
        if abs(value) <= _LARGEST_INTEGER:
            page.write_number(row, place, value, shown)
            return len(f"{value:,.0f}") + 3
        return text(row, place, str(value))

    return number


def _text_writer(page: "Worksheet", formats: Formats) -> Writer:
    def text(row: int, place: int, value: object) -> int:
        said = value if isinstance(value, str) else str(value)
        said = _NO_XML.sub(_escaped, said.replace("\r\n", "\n").replace("\r", "\n"))
        if len(said) > _LONGEST_TEXT:
            said = said[: _LONGEST_TEXT - 1] + "…"
        page.write_string(row, place, said, formats.quoted if said.startswith(_STARTS_FORMULA) else formats.text)
        return len(said) + 2

    return text


def _time_writer(page: "Worksheet", formats: Formats, text: Writer) -> Writer:
    def time(row: int, place: int, value: date | str) -> int:
        if isinstance(value, str):
            # How DuckDB hands over a day before the year 1, which is that of Go's zero time in western time zones.
            return text(row, place, value)
        if isinstance(value, datetime):
            # Infinity comes as a time without a zone.
            moment, shown = value if value.tzinfo else None, formats.instant
        else:
            moment, shown = datetime(value.year, value.month, value.day, tzinfo=UTC), formats.day
        if moment is None or moment < _FIRST:
            return text(row, place, value.isoformat())
        page.write_number(row, place, (moment - _EPOCH) / _DAY, shown)
        return 17

    return time


def _escaped(found: re.Match[str]) -> str:
    """What XML cannot hold, as people write it."""
    return found[0].encode("unicode_escape").decode("ascii")
