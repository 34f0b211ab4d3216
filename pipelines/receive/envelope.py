"""Writes a delivery as a line, in the form that the loader reads fastest."""

from datetime import UTC, datetime

import orjson

from pipelines.load.judge import BYTE_ORDER_MARK, is_document

_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_SPACED = b'": '


def envelope_line(svix_id: str, received_at: datetime, body: bytes) -> bytes:
    r"""The delivery in an envelope, with a newline: `{"svix_id":…,"received_at":…,"payload":…}\n`.

    A JSON document stays as it is, except that a byte-order mark is removed and line ends become spaces (JSON strings
    cannot contain them). Any other text becomes a JSON string.
    """
    document = body.removeprefix(BYTE_ORDER_MARK)
    payload = document.translate(_LINE_ENDS) if is_document(body) else orjson.dumps(body.decode())
    received = received_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()
    # The fast path of parse.sql needs the same spacing after colons and commas in envelope and payload.
    first = body.find(b'"', 1)
    colon, comma = (b": ", b", ") if body.startswith(_SPACED, body.find(b'"', first + 1)) else (b":", b",")
    return b"".join(
        (
            b'{"svix_id"', colon, orjson.dumps(svix_id), comma, b'"received_at"', colon, b'"', received, b'"',
            comma, b'"payload"', colon, payload, b"}\n",
        )
    )  # fmt: skip
