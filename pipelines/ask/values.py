"""Formats values of any DuckDB type as text, as CSV cells and as JSON. Times are ISO 8601, in UTC."""

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

INSTANT = "TIMESTAMP WITH TIME ZONE"
_INTEGERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_NUMBERS = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BIGNUM|FLOAT|DOUBLE|DECIMAL\(.*\))")
_NEEDS_QUOTES = re.compile(r'^$|^\s|\s$|[",\r\n]')


def is_number(kind: str) -> bool:
    """Whether a DuckDB type is a number type."""
    return _NUMBERS.fullmatch(kind) is not None


def as_text(value: Any, kind: str = "") -> str:  # noqa: ANN401
    """A value as text. The value must not be None."""
    match value:
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case datetime():
            text = _instant(value) if kind != INSTANT or value.tzinfo else _infinite(value)
        case date() | time():
            text = value.isoformat()
        case Decimal():
            text = format(value, "f")
        case bytes():
            text = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02X}" for byte in value)  # noqa: PLR2004
        case dict() | list() | tuple():
            text = as_json(value)
        case _:
            text = str(value)
    return text


def as_cell(value: Any, kind: str) -> str:  # noqa: ANN401
    """A CSV cell. None is an empty cell, empty text is `""`."""
    if value is None:
        return ""
    text = as_text(value, kind)
    if _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_json(value: Any, kind: str = "", *, ascii_only: bool = False) -> str:  # noqa: ANN401
    """A value as JSON. Decimals keep all digits. NaN and infinity, which JSON lacks, become null."""

    def inner(element: Any) -> str:  # noqa: ANN401
        return as_json(element, ascii_only=ascii_only)

    match value:
        case None:
            text = "null"
        case bool() | int():
            text = str(value).lower()
        case float():
            text = repr(value) if math.isfinite(value) else "null"
        case Decimal():
            text = format(value, "f") if value.is_finite() else "null"
        case dict():
            members = (f"{_quoted(as_text(key), ascii_only)}: {inner(member)}" for key, member in value.items())
            text = "{" + ", ".join(members) + "}"
        case list() | tuple():
            text = "[" + ", ".join(map(inner, value)) + "]"
        case str() if kind == "JSON":
            text = _embedded(value, ascii_only)
        case _:
            text = _quoted(as_text(value, kind), ascii_only)
    return text


def cells(kinds: list[str]) -> Callable[[tuple[Any, ...]], str]:
    """A function that turns a row with columns of these types into a CSV line, including the line end."""
    formats = [_integer if _INTEGERS.fullmatch(kind) else partial(as_cell, kind=kind) for kind in kinds]

    def line(row: tuple[Any, ...]) -> str:
        return ",".join([as_text(value) for as_text, value in zip(formats, row, strict=True)]) + "\n"

    return line


def _integer(value: int | None) -> str:
    return "" if value is None else str(value)


def _quoted(text: str, ascii_only: bool) -> str:  # noqa: FBT001
    return encode_basestring_ascii(text) if ascii_only else encode_basestring(text)


def _embedded(text: str, ascii_only: bool) -> str:  # noqa: FBT001
    """A value of type JSON, parsed and written again, or quoted as text if only DuckDB accepts it as JSON."""
    try:
        return as_json(json.loads(text, parse_float=Decimal), ascii_only=ascii_only)
    except ValueError:
        return _quoted(text, ascii_only)


def _instant(value: datetime) -> str:
    """A time with milliseconds, as in Rally's webhooks and the exports, or with microseconds if it has any."""
    precision = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    return value.replace(tzinfo=None).isoformat(timespec=precision) + ("Z" if value.tzinfo else "")


def _infinite(value: datetime) -> str:
    """Infinity as text. DuckDB returns it as datetime.min or datetime.max without a time zone."""
    return "infinity" if value.year > 1 else "-infinity"
