"""JSON documents as RFC 8259 has them."""

import re
from typing import Any

import orjson

# Numbers that may be too large for a double; strings, so that no number is found in one.
_LARGE_NUMBERS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|(-?(?:0|[1-9]\d*+)(?:\.\d++)?[eE][+-]?\d++|-?[1-9]\d{300,}+(?:\.\d++)?)', re.DOTALL
)


def parse(text: bytes) -> Any:  # noqa: ANN401 - a JSON document can be anything
    """The document, with the last value of a repeated key. Numbers are only known to be numbers.

    Raises:
        ValueError: it is no JSON, not UTF-8, or nested more than 1,024 deep.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        without = _without_large_numbers(text)
        if without is None:
            raise
        return orjson.loads(without)


def _without_large_numbers(text: bytes) -> bytearray | None:
    """The text with false for each number that orjson may have found too large; None if there is no such number."""
    without = None
    for found in _LARGE_NUMBERS.finditer(text):
        start, end = found.span(1)
        if start >= 0:
            without = without or bytearray(text)
            without[start:end] = b"false".ljust(end - start)
    return without
