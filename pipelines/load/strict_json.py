"""Where DuckDB's JSON parser is too kind, a strict one looks again.

DuckDB takes trailing commas, NaN and Infinity, and of a key that is there twice the first value; RFC 8259 has none
of the former, and every common parser takes the last value. The few lines where that could matter come here, and so
do long ones: each of DuckDB's functions needs eight times the size of a document for itself.
"""

import json
import re
from typing import Any, NoReturn

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONG = 1 << 20
"""Lines of more bytes are long."""

_EVENT = "participant.status_changed"
_MEMBERS = ("participantId", "personId", "studyId", "status", "updatedAt")
_MAY_BE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(text: bytes) -> Any:  # noqa: ANN401 - a JSON document can be anything
    """The JSON document, the last value of a repeated key; a byte-order mark before it is allowed.

    Raises:
        ValueError: it is not JSON as RFC 8259 has it, or not UTF-8, or nested too deep to look at.
    """
    try:
        return json.loads(
            text.removeprefix(BYTE_ORDER_MARK).decode("utf-8"),
            parse_constant=_refuse,
            # what numbers are does not matter, they take room, and Python refuses integers of many digits
            parse_int=bool,
            parse_float=bool,
            object_pairs_hook=_last_of_each,
        )
    except RecursionError as error:
        msg = "nested too deep"
        raise ValueError(msg) from error


def is_document(text: bytes) -> bool:
    """Whether bytes without a newline are a whole JSON document, and not one that is still being written."""
    return bool(brief_form(text)[0] if len(text) > LONG else normal_form(text))


def normal_form(text: bytes) -> bytes | None:
    """The document as DuckDB reads it without doubt: one value a key, nothing lenient; None if it is not JSON.

    Of a line that has nothing but white space after its byte-order mark, nothing.
    """
    if not text.removeprefix(BYTE_ORDER_MARK).strip():
        return b""
    try:
        # half of a surrogate pair is no character, so it cannot be encoded
        return _encode(parse(text))
    except (ValueError, RecursionError):
        return None


def brief_form(text: bytes) -> tuple[bytes | None, bool]:
    """As `normal_form`, but only what the columns of a delivery hold, and whether the document says more than that.

    The rest, and text that does not matter because the document is no delivery, is left out or cut short.
    """
    if not text.removeprefix(BYTE_ORDER_MARK).strip():
        return b"", False
    try:
        document = parse(text)
        if _MAY_BE_SURROGATE.search(text):
            _encode(document)
        brief, says_more = _brief_document(document)
        return _encode(brief), says_more
    except (ValueError, RecursionError):
        return None, True


def _brief_document(document: object) -> tuple[object, bool]:
    if not isinstance(document, dict):
        return [], True
    if "payload" not in document or "_eventType" in document:
        return _brief_payload(document)
    payload, says_more = _brief_payload(document["payload"])
    envelope = {name: _brief(document[name]) for name in ("svix_id", "received_at") if name in document}
    return {"payload": payload, **envelope}, says_more or len(document) > 1 + len(envelope)


def _brief_payload(payload: object) -> tuple[object, bool]:
    if not isinstance(payload, dict):
        return _brief(payload), True
    known = {name: _brief(payload[name]) for name in ("_eventType", *_MEMBERS, "priorStatus") if name in payload}
    is_delivery = (
        known.get("_eventType") == _EVENT
        and all(known.get(name) and isinstance(known[name], str) for name in _MEMBERS)
        and isinstance(known.get("priorStatus"), str | None)
    )
    if not is_delivery:
        known = {
            name: value[:1] if isinstance(value, str) and name != "_eventType" else value
            for name, value in known.items()
        }
    return known, len(payload) > len(known)


def _brief(value: object) -> object:
    """The value, or an empty one of its kind where all that matters is that it is no text."""
    return type(value)() if isinstance(value, list | dict) else value


def _last_of_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    last = dict(members)
    if len(last) < len(members):
        _encode(members)  # what goes must be text, too
    return last


def _encode(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8")


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is not JSON"
    raise ValueError(msg)
