"""Parse JSON documents as RFC 8259 defines them."""

import re
from typing import Any

import orjson

# Numbers that may be too large for a double. Strings are matched first, so that no number is found inside one.
_LARGE_NUMBERS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|(-?(?:0|[1-9]\d*+)(?:\.\d++)?[eE][+-]?\d++|-?[1-9]\d{300,}+(?:\.\d++)?)', re.DOTALL
)


def parse(text: bytes) -> Any:  # noqa: ANN401 - a JSON document can be anything
    """The document. Of a repeated key, the last value counts. A number that is too large for a double is read as false.

    Raises:
        ValueError: it is not JSON, not UTF-8, or nested more than 1,024 deep.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        without = _without_large_numbers(text)
        if without is None:
            raise
        return orjson.loads(without)


def _without_large_numbers(text: bytes) -> bytearray | None:
    """The text with `false` for each number that may be too large for orjson; None if there is no such number."""
    without = None
    for found in _LARGE_NUMBERS.finditer(text):
        start, end = found.span(1)
        if start >= 0:
            without = without or bytearray(text)
            without[start:end] = b"false".ljust(end - start)
    return without
