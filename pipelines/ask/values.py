"""Values of any DuckDB type as a CSV cell, as JSON and as a person reads them. Times are ISO 8601, in UTC."""

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
    """Whether a DuckDB type holds numbers, which are aligned by their last digit."""
    return _NUMBERS.fullmatch(kind) is not None


def as_text(value: Any, kind: str = "") -> str:  # noqa: ANN401
    """One value, never null, as text."""
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
            text = "".join(chr(one) if 0x20 <= one < 0x7F and one != 0x5C else f"\\x{one:02X}" for one in value)  # noqa: PLR2004
        case dict() | list() | tuple():
            text = as_json(value)
        case _:
            text = str(value)
    return text


def as_cell(value: Any, kind: str) -> str:  # noqa: ANN401
    """A cell of a CSV file: null is empty, empty text is `""`."""
    if value is None:
        return ""
    text = as_text(value, kind)
    if _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_json(value: Any, kind: str = "", *, ascii_only: bool = False) -> str:  # noqa: ANN401
    """JSON of the same kind of thing: numbers with all their digits; not a number and infinity, which it lacks, as null."""

    def inner(one: Any) -> str:  # noqa: ANN401
        return as_json(one, ascii_only=ascii_only)

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
            members = (f"{_quoted(as_text(key), ascii_only)}: {inner(one)}" for key, one in value.items())
            text = "{" + ", ".join(members) + "}"
        case list() | tuple():
            text = "[" + ", ".join(map(inner, value)) + "]"
        case str() if kind == "JSON":
            text = _embedded(value, ascii_only)
        case _:
            text = _quoted(as_text(value, kind), ascii_only)
    return text


def cells(kinds: list[str]) -> Callable[[tuple[Any, ...]], str]:
    """What makes a line of CSV of a row, its line end included."""
    makers = [_whole if _INTEGERS.fullmatch(kind) else partial(as_cell, kind=kind) for kind in kinds]

    def line(row: tuple[Any, ...]) -> str:
        return ",".join([make(value) for make, value in zip(makers, row, strict=True)]) + "\n"

    return line


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)


def _quoted(text: str, ascii_only: bool) -> str:  # noqa: FBT001
    return encode_basestring_ascii(text) if ascii_only else encode_basestring(text)


def _embedded(text: str, ascii_only: bool) -> str:  # noqa: FBT001
    """A JSON value as it is, which DuckDB reads less strictly than others do."""
    try:
        return as_json(json.loads(text, parse_float=Decimal), ascii_only=ascii_only)
    except ValueError:
        return _quoted(text, ascii_only)


def _instant(value: datetime) -> str:
    """As Rally writes it and the exports do: milliseconds, microseconds only where there are any. Instants come in UTC."""
    precision = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    return value.replace(tzinfo=None).isoformat(timespec=precision) + ("Z" if value.tzinfo else "")


def _infinite(value: datetime) -> str:
    """What Python has instead of infinity is a time without a zone at either end of its calendar."""
    return "infinity" if value.year > 1 else "-infinity"
