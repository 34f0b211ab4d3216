"""A delivery as a line of a file, in the form that the loader takes fastest."""

from datetime import UTC, datetime

import orjson

from pipelines.load.judge import BYTE_ORDER_MARK, is_document

_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_SPACED = b'": '


def envelope_line(svix_id: str, received_at: datetime, body: bytes) -> bytes:
    r"""The delivery in an envelope with its newline: `{"svix_id":…,"received_at":…,"payload":…}\n`.

    A JSON document is kept byte for byte, but for a byte-order mark, and line ends, which become spaces: none can be
    inside a string. Any other text is kept as a JSON string.
    """
    document = body.removeprefix(BYTE_ORDER_MARK)
    payload = document.translate(_LINE_ENDS) if is_document(body) else orjson.dumps(body.decode())
    moment = received_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()
    # parse.sql takes a line at once if envelope and payload have the same space after colons and commas
    first = body.find(b'"', 1)
    colon, comma = (b": ", b", ") if body.startswith(_SPACED, body.find(b'"', first + 1)) else (b":", b",")
    return b"".join(
        (
            b'{"svix_id"', colon, orjson.dumps(svix_id), comma, b'"received_at"', colon, b'"', moment, b'"',
            comma, b'"payload"', colon, payload, b"}\n",
        )
    )  # fmt: skip
