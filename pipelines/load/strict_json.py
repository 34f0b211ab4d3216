"""Where DuckDB's JSON parser is too kind, a strict one looks again.

DuckDB takes trailing commas, NaN and Infinity, and of a key that is there twice the first value; RFC 8259 has none
of the former, and every common parser takes the last value. The few lines where that could matter come here.
"""

import json
from typing import Any, NoReturn

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse(text: bytes) -> Any:  # noqa: ANN401 - a JSON document can be anything
    """The JSON document, the last value of a repeated key; a byte-order mark before it is allowed.

    Raises:
        ValueError: it is not JSON as RFC 8259 has it, or not UTF-8, or nested too deep to look at.
    """
    try:
        return json.loads(
            text.removeprefix(BYTE_ORDER_MARK).decode("utf-8"),
            parse_constant=_refuse,
            # numbers as floats: what they are does not matter, and Python refuses integers of many digits
            parse_int=float,
            object_pairs_hook=_last_of_each,
        )
    except RecursionError as error:
        msg = "nested too deep"
        raise ValueError(msg) from error


def is_document(text: bytes) -> bool:
    """Whether bytes without a newline are a whole JSON document, and not one that is still being written."""
    return bool(normal_form(text))


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
