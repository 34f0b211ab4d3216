"""Section 2: the deliveries in a line. Each shape is written out here as its documentation has it, without the table of shapes."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

DEPTH = 8
WHITE = " \t\r\n"


@dataclass(frozen=True)
class Part:
    """A delivery: its payload, the text that is kept of it if it is rejected, and what is around it.

    `text` is None of the line itself, and `is_json` false of a text that is none.
    """

    payload: Any
    text: bytes | None
    is_json: bool = True
    in_batch: bool = False
    svix_id: Any = None
    received_at: Any = None


def take_apart(line: bytes, parse: Callable[[bytes], Any]) -> list[Part]:
    """The deliveries of a line that is not blank. `parse` reads a JSON document, or raises ValueError."""
    try:
        return list(_unwrap(Part(parse(line), None), line, parse, 0))
    except ValueError:
        pieces = _pieces(line)
        found: list[Part] = []
        for piece in pieces:
            try:
                found += _unwrap(Part(parse(piece), piece, in_batch=True), piece, parse, 1)
            except ValueError:
                found.append(Part(None, piece, is_json=False, in_batch=True))
        return found if any(part.is_json for part in found) else [Part(None, None, is_json=False)]


def _unwrap(part: Part, text: bytes, parse: Callable[[bytes], Any], depth: int) -> Iterator[Part]:
    """The deliveries in a document, whose text this is."""
    value = part.payload
    if isinstance(value, str) and depth:
        try:
            text = value.encode()
            value = parse(text)
        except ValueError:
            yield _like(part, None, is_json=False)
            return
    if depth >= DEPTH:
        yield _like(part, value)
    elif isinstance(value, list):
        if any(map(_may_be_one, value)):
            for one, its_text in zip(value, _parts(text), strict=True):
                element = Part(one, its_text[1], in_batch=True, received_at=part.received_at)
                yield from _unwrap(element, its_text[1], parse, depth + 1)
        elif value or depth:
            yield _like(part, value)
    elif isinstance(value, dict) and "_eventType" not in value:
        yield from _open(part, value, text, parse, depth)
    else:
        yield _like(part, value)


def _open(part: Part, value: dict[str, Any], text: bytes, parse: Callable[[bytes], Any], depth: int) -> Iterator[Part]:
    """The deliveries in an object that is no webhook."""
    members = dict(_parts(text))
    name, svix_id, received_at = _around(value)
    if name is None:
        yield _like(part, value)
    elif name.startswith(LIST):
        name = name.removeprefix(LIST)
        for one, (_, its_text) in zip(value[name], _parts(members[name]), strict=True):
            element = Part(one, its_text, in_batch=True, received_at=part.received_at)
            yield from _unwrap(element, its_text, parse, depth + 1)
    else:
        inner = _like(part, value[name], svix_id=svix_id, received_at=received_at)
        inside = members[name]
        if name == "data_base64" and isinstance(value[name], str):
            try:
                inside = base64.b64decode(value[name], validate=True)
                inner = _like(inner, parse(inside))
            except ValueError:
                yield _like(inner, None, is_json=False)
                return
        yield from _unwrap(inner, inside, parse, depth + 1)


LIST = "list: "
# What an object has, and where the payload or the list is, the id, and the time of arrival.
ENVELOPES = (
    (("specversion", "type", "source", "data"), "data", "id", ""),  # CloudEvents
    (("specversion", "type", "source", "data_base64"), "data_base64", "id", ""),
    (("TopicArn", "MessageId", "Message"), "Message", "MessageId", "Timestamp"),  # SNS
    (("detail-type", "source", "detail"), "detail", "id", "time"),  # EventBridge
    (("eventType", "payload"), "payload", "id", "timestamp"),  # Svix
    (("schema", "payload"), "payload", "", ""),  # Kafka Connect
    (("messageId", "body"), "body", "messageId", "attributes.SentTimestamp"),  # SQS
    (("MessageId", "Body"), "Body", "MessageId", "Attributes.SentTimestamp"),
    (("payload",), "payload", "svix_id", "received_at"),  # the receiver
    ((), LIST + "data", "", ""),
    ((), LIST + "events", "", ""),
    (("value",), "value", "", "timestamp"),
    ((), LIST + "Records", "", ""),
    ((), LIST + "Messages", "", ""),
    (("Sns",), "Sns", "", ""),
)


def _around(value: dict[str, Any]) -> tuple[str | None, Any, Any]:
    """The member with the payload or the deliveries, the id and the time of arrival; None if it is none of the envelopes."""
    for needs, name, svix_id, received_at in ENVELOPES:
        is_it = all(value.get(need) is not None for need in needs)
        if name.startswith(LIST):
            found = value.get(name.removeprefix(LIST))
            is_it = isinstance(found, list) and (not found or any(map(_may_be_one, found)))
        if is_it:
            outer, _, inner = received_at.partition(".")
            times = value.get(outer)
            when = times.get(inner) if inner and isinstance(times, dict) else None if inner else times
            return name, value.get(svix_id), when
    return ("payload", value.get("svix_id"), value.get("received_at")) if "payload" in value else (None, None, None)


def _like(part: Part, payload: Any, *, is_json: bool = True, svix_id: Any = None, received_at: Any = None) -> Part:  # noqa: ANN401
    """The same with this payload. What an envelope says of it counts more than what one around that says."""
    return Part(
        payload,
        part.text,
        is_json=is_json,
        in_batch=part.in_batch,
        svix_id=part.svix_id if svix_id is None else svix_id,
        received_at=part.received_at if received_at is None else received_at,
    )


def _may_be_one(value: object, levels: int = DEPTH) -> bool:
    if isinstance(value, str):
        return value.lstrip().startswith(("{", "["))
    within = value if isinstance(value, list) and levels else []
    return isinstance(value, dict) or any(_may_be_one(one, levels - 1) for one in within)


def _parts(text: bytes) -> list[tuple[str | None, bytes]]:
    """The members of an object, or the elements of an array, as they are written; the text is known to be JSON."""
    whole = text.decode().strip(WHITE)
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    at = 1
    found: list[tuple[str | None, bytes]] = []
    while True:
        at = _past(whole, at, WHITE + ",")
        if whole[at] in "]}":
            return found
        name = None
        if whole[0] == "{":
            name, at = decoder.raw_decode(whole, at)
            at = _past(whole, at, WHITE + ":")
        _, end = decoder.raw_decode(whole, at)
        found.append((name, whole[at:end].encode()))
        at = end


def _past(text: str, at: int, signs: str) -> int:
    while text[at] in signs:
        at += 1
    return at


def _pieces(line: bytes) -> list[bytes]:
    """Objects and arrays that follow each other; none if something else is between them, or one has no end."""
    found: list[bytes] = []
    depth = begin = 0
    in_string = is_escaped = False
    for at, sign in enumerate(line.decode("latin-1")):
        if in_string:
            in_string = is_escaped or sign != '"'
            is_escaped = sign == "\\" and not is_escaped
        elif sign in "{[":
            begin = begin if depth else at
            depth += 1
        elif sign in "}]":
            depth -= 1
            if depth < 0:
                return []
            if not depth:
                found.append(line[begin : at + 1])
        elif not depth and sign not in WHITE + "\x0b\x0c":
            return []
        else:
            in_string = sign == '"'
    return found if len(found) > 1 and not depth and not in_string else []
