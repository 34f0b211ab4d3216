"""Remove deliveries from a line that is a batch. The bytes of the others are kept.

Only if a removed delivery is in a JSON string (or base64), that string is written anew.
"""

import base64
from collections.abc import Collection, Iterable

import orjson

from pipelines.load.documents import JsonText, Span, Step, document_spans
from pipelines.load.judge import BYTE_ORDER_MARK
from pipelines.load.shapes import Embedded, Place


def element_of(place: Place) -> Place:
    """The place of the innermost list element that contains a delivery."""
    last = max(number for number, step in enumerate(place) if isinstance(step, int))
    return place[: last + 1]


def remove_deliveries(line: bytes, places: Collection[Place]) -> bytes | None:
    """A line, with its newline if it has one, without the parts at these places; None if nothing is left.

    The place `()` means the whole line.
    """
    if () in places or not places:
        return None if places else line
    begin = len(BYTE_ORDER_MARK) if line.startswith(BYTE_ORDER_MARK) else 0
    end = len(line.rstrip(b"\r\n"))
    left = _remove(line[begin:end], places)
    return None if left is None else line[:begin] + left + line[end:]


def _remove(content: bytes, places: Collection[Place]) -> bytes | None:
    text = JsonText(content)
    if pieces := document_spans(content):
        return _list(text, (0, len(content)), dict(enumerate(pieces)), places, b"")
    return _value(text, (0, len(content)), places)


def _value(text: JsonText, span: Span, places: Iterable[Place]) -> bytes | None:
    """A value without the parts at these places; None if nothing is left."""
    places = list(places)
    how = places[0][0]
    begin, end = span
    if isinstance(how, Embedded):
        string = orjson.loads(text.content[begin:end])
        is_base64 = how is Embedded.BASE64
        left = _remove(base64.b64decode(string) if is_base64 else string.encode(), [place[1:] for place in places])
        return None if left is None else orjson.dumps((base64.b64encode(left) if is_base64 else left).decode())
    parts = text.parts(begin)
    if isinstance(how, int):
        return _list(text, span, parts, places, b",")
    pieces, at = [], begin
    for name, (part_begin, part_end) in sorted(parts.items(), key=lambda part: part[1]):
        if within := [place[1:] for place in places if place[0] == name]:
            left = _value(text, (part_begin, part_end), within)
            if left is None:
                return None
            pieces += [text.content[at:part_begin], left]
            at = part_end
    return b"".join([*pieces, text.content[at:end]])


def _list(
    text: JsonText, span: Span, parts: dict[Step, Span], places: Collection[Place], between: bytes
) -> bytes | None:
    """A list, including its brackets, without the parts at these places; None if no element is left."""
    left = []
    for number, (begin, end) in parts.items():
        within = [place[1:] for place in places if place[0] == number]
        if () in within:
            continue
        part = _value(text, (begin, end), within) if within else text.content[begin:end]
        if part is not None:
            left.append(part)
    first, last = min(begin for begin, _ in parts.values()), max(end for _, end in parts.values())
    return text.content[span[0] : first] + between.join(left) + text.content[last : span[1]] if left else None
