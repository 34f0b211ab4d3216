"""Parse JSON documents as RFC 8259 defines them, and locate their parts, to keep or cut them out byte for byte."""

import re
from collections.abc import Iterable
from typing import Any

import orjson

Step = str | int
Span = tuple[int, int]

# Numbers that may be too large for a double. Strings are matched first, so that no number is found inside one.
_LARGE_NUMBERS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|(-?(?:0|[1-9]\d*+)(?:\.\d++)?[eE][+-]?\d++|-?[1-9]\d{300,}+(?:\.\d++)?)', re.DOTALL
)
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{},:]', re.DOTALL)
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}"]', re.DOTALL)


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


def document_spans(text: bytes) -> list[Span] | None:
    """The spans of objects and arrays that follow each other in one line; None unless there are two or more.

    There may only be white space between them. What is inside their brackets is not validated.
    """
    found: list[Span] = []
    depth = begin = end = 0
    for token in _BRACKETS.finditer(text):
        sign = token[0]
        if sign in {b"{", b"["}:
            if not depth:
                if text[end : token.start()].strip():
                    return None
                begin = token.start()
            depth += 1
        elif sign in {b"}", b"]"}:
            depth -= 1
            if depth < 0:
                return None
            if not depth:
                end = token.end()
                found.append((begin, end))
        elif sign == b'"':  # a string without an end
            return None
    return found if len(found) > 1 and not depth and not text[end:].strip() else None


class JsonText:
    """A valid JSON text. Positions that were looked up in it are cached."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._parts: dict[int, dict[Step, Span]] = {}

    def part(self, steps: Iterable[Step]) -> bytes:
        """The text of the value that is reached by these names of members and indexes in arrays."""
        begin, end = 0, len(self.content)
        for step in steps:
            begin, end = self.parts(begin)[step]
        return self.content[begin:end]

    def parts(self, begin: int) -> dict[Step, Span]:
        """The spans of the members of an object, or the elements of an array, that begins here or after white space."""
        if begin not in self._parts:
            self._parts[begin] = _parts(self.content, begin)
        return self._parts[begin]


def _parts(text: bytes, start: int) -> dict[Step, Span]:
    found: dict[Step, Span] = {}
    depth, begin, colon = 0, start, -1
    for token in _TOKENS.finditer(text, start):
        sign = token[0]
        if sign in {b"{", b"["}:
            depth += 1
            if depth == 1:
                begin = token.end()
        elif depth == 1 and sign == b":":
            colon = token.end()
        elif depth == 1 and sign in {b",", b"}", b"]"}:
            if text[begin : token.start()].strip():
                name = len(found) if colon < 0 else orjson.loads(text[begin : colon - 1])
                found[name] = _stripped(text, begin if colon < 0 else colon, token.start())
            begin, colon = token.end(), -1
        if sign in {b"}", b"]"}:
            depth -= 1
            if not depth:
                break
    return found


def _stripped(text: bytes, begin: int, end: int) -> Span:
    part = text[begin:end]
    return begin + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
