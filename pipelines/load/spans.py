"""Locate the parts of a JSON text, so that a part can be kept, or cut out, byte for byte."""

import re
from collections.abc import Iterable

import orjson

Step = str | int
Span = tuple[int, int]

_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{},:]', re.DOTALL)
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}"]', re.DOTALL)


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
        begin, end = self.span(steps)
        return self.content[begin:end]

    def span(self, steps: Iterable[Step]) -> Span:
        """The span of that value."""
        begin, end = 0, len(self.content)
        for step in steps:
            begin, end = self.parts(begin)[step]
        return begin, end

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
