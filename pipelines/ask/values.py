"""Formats values of any DuckDB type as text, as CSV cells and as JSON. Times are ISO 8601, in UTC."""

import json
import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

INSTANT = "TIMESTAMP WITH TIME ZONE"
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
            text = _instant(value, kind)
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
    if type(value) is int:  # most cells; this takes a third of the time of what follows
        return str(value)
    text = as_text(value, kind)
    if _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_json(value: Any, kind: str = "") -> str:  # noqa: ANN401
    """A value as JSON. Decimals keep all digits. NaN and infinity, which JSON lacks, become null."""
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
            members = (f"{encode_basestring(as_text(key))}: {as_json(member)}" for key, member in value.items())
            text = "{" + ", ".join(members) + "}"
        case list() | tuple():
            text = "[" + ", ".join(map(as_json, value)) + "]"
        case str() if kind == "JSON":
            text = _embedded(value)
        case _:
            text = encode_basestring(as_text(value, kind))
    return text


def _embedded(text: str) -> str:
    """A value of type JSON, parsed and written again, or quoted as text if only DuckDB accepts it as JSON."""
    try:
        return as_json(json.loads(text, parse_float=Decimal))
    except ValueError:
        return encode_basestring(text)


def _instant(value: datetime, kind: str) -> str:
    """A time with milliseconds, as in Rally's webhooks and the exports, or with microseconds if it has any."""
    if kind == INSTANT and not value.tzinfo:  # DuckDB returns infinity as datetime.min or datetime.max
        return "infinity" if value.year > 1 else "-infinity"
    precision = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    return value.replace(tzinfo=None).isoformat(timespec=precision) + ("Z" if value.tzinfo else "")
