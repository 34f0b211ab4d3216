"""Lines at which parsers differ. What becomes of each, the oracle says."""

from collections.abc import Iterable

from strategies import NOISE, valid_but

VALID = valid_but()
BOM = b"\xef\xbb\xbf"


def with_id(text: bytes) -> bytes:
    """A valid payload with this, as it stands, between the quotes of its person."""
    return VALID.replace(b"person-1", text)


def with_more(text: bytes) -> bytes:
    """A valid payload with this, as it stands, before its closing brace."""
    return VALID[:-1] + text + b"}"


def values_of(field: str, values: Iterable[object]) -> list[bytes]:
    """Valid payloads, but for one field, which has each of the values in turn."""
    return [valid_but(**{field: value}) for value in values]


def around(payload: bytes, more: bytes = b"") -> bytes:
    """An envelope, with more members after the payload."""
    return b'{"payload": ' + payload + more + b"}"


MARKED = [
    VALID,
    BOM + VALID,
    BOM,
    BOM + b" ",
    b" " + BOM + VALID,
    BOM + BOM + VALID,
    BOM + b"{}",
    BOM + b"x",
    b"\xff\xfe",
]

WHITE = [b"\x0b", b"\x0c", b"\r\r", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x00", b"\x0b" + VALID, VALID + b"\x0c"]

TEXT = [
    b"\x00" + VALID,
    VALID + b"\x00",
    b"\x1e" + VALID,
    with_id(b"a\x00b"),
    with_id(b"a\\u0000b"),
    with_id(b"\\u0000"),
    with_id(b"\\ud83d\\ude00"),
    with_id(b"\\ud800"),
    with_id(b"\\udc00x"),
    with_id("\u00e9\u2028\U0001f600\u0085\ufeff".encode()),
    with_id(b"\xed\xa0\x80"),
    with_id(b"\xc0\x80"),
    with_id(b"\xf4\x90\x80\x80"),
    with_id(b"'\xff' \\\\ \x7f"),
    with_id(b'a\\"b'),
    with_id(b"a\\\\"),
    with_id(b"\\/"),
    with_id(b"\\n"),
    with_id(b"\\x"),
    with_id(b"\\u12"),
    with_id(b"\t"),
    with_id(b"=1+1"),
    with_id(b" "),
    with_id(b"x" * 100_000),
    VALID.replace(b'"status"', b'"stat\\u0075s"'),
    VALID.replace(b"INVITE_SENT", b"INVITE\\u005fSENT"),
    VALID.replace(b"00:00Z", b"00:00\\u005a"),
    VALID.replace(b"participant.status", b"p\\u0061rticipant.status"),
]

LENIENT = [
    with_more(tail)
    for tail in (
        b",",
        b" , ",
        b', "x": [1,]',
        b', "x": NaN',
        b', "x": "NaN"',
        b', "x": -Infinity',
        b', "x": [-inf]',
        b', "x": +1',
        b', "x": .5',
        b', "x": 5.',
        b', "x": 01',
        b', "x": 0x10',
        b', "x": 1e400',
        b', "x": 1e400, "x": 2',
        b', "x": -0.0e-0',
        b', "x": ' + b"9" * 400,
        b', "x": ' + b"9" * 5_000,
        b', "x": ' + b"9" * 5_000 + b', "x": 1',
        b', "x": ' + b"[" * 500 + b"]" * 500,
        b', "x": ' + b'{"x": ' * 400 + b"1" + b"}" * 400,
        b', "x"',
        b', "x":',
        b', "x": undefined',
        b", 'x': 1",
        b", x: 1",
        b', "": ""',
        b' "x": 1',
        b"}",
    )
]

FORMS = [
    *(
        VALID + VALID,
        VALID + b" " + VALID,
        VALID + b",",
        VALID + b"//x",
        VALID + b"/*x*/",
        b"/**/" + VALID,
        b"#" + VALID,
    ),
    *(b"true", b"12", b"-0", b"1e5", b'"', b"{", b"}", b"[", b"[]", b"{}{}", b"[1,]", b"[NaN]", b"{,}", b"[,]"),
    *(b"NaN", b"nan", b"Infinity", b"-inf", b"tru", b"nul", b"{a: 1}", b'{"a": 1 "b": 2}', b'{"a" 1}', b'{"a": "\t"}'),
    *(b"[" * 500 + b"]" * 500, b"[" + VALID + b"]", b'"' + VALID.replace(b'"', b'\\"') + b'"'),
]

REPEATED_KEYS = [
    *(with_more(b', "status": ' + value) for value in (b'"OPTED_OUT"', b'"NEW"', b"null", b'""', b"1", b"[]")),
    *(with_more(b', "priorStatus": ' + value) for value in (b'"NOT_STARTED"', b"null", b'"NEW"', b"0")),
    with_more(b', "stat\\u0075s": "OPTED_OUT"'),
    with_more(b', "x": {"status": "A", "status": "B"}'),
    with_more(b', "x": 1, "x": 2'),
    with_more(b', "_eventType": "person.opted_out"'),
    with_more(b', "_eventType": null'),
    b'{"status": 1, ' + VALID[1:],
    b'{"status": "OPTED_OUT", ' + VALID[1:],
    b'{"_eventType": "x", ' + VALID[1:],
    b'{"_eventType": "x", "a": 1, "a": 2}',
]

ENVELOPES = [
    *(around(value) for value in (VALID, b"null", b"1", b"[]", b'"x"', b'"{}"', b"{}", around(VALID))),
    around(VALID, b', "svix_id": "m", "received_at": "2025-03-03T00:00:00Z"'),
    around(VALID, b', "svix_id": 1, "received_at": "now", "x": {}'),
    around(VALID, b', "_eventType": null'),
    around(VALID, b', "_eventType": ""'),
    around(VALID, b', "_eventType": 1'),
    around(VALID, b', "_eventType": "person.opted_out"'),
    around(VALID, b', "payload": {}'),
    around(b"{}", b', "payload": ' + VALID),
    around(b"null", b', "svix_id": "m"'),
    around(VALID, b","),
    around(VALID, b', "x": NaN'),
    around(with_more(b",")),
    around(with_more(b', "x": NaN')),
    around(with_more(b', "status": "OPTED_OUT"')),
    around(b'{"_eventType": "x"}'),
    around(b'{"_eventType": "x"}', b', "x": NaN'),
    b'{"payl\\u006fad": ' + VALID + b"}",
    with_more(b', "payload": {}'),
    b'{"Payload": ' + VALID + b"}",
]

VALUES = [
    *values_of("participantId", ["", " ", [], {}, ["x"], True, 1.5, "null"]),
    *values_of("status", ["", " ", "INVITE_SENT ", "\u00e9", "null", 1, None]),
    *values_of("priorStatus", ["", " ", "INVITE_SENT", "null", 1, [], False]),
    *values_of("updatedAt", ["", 1, 1_741_000_000, True, {}]),
    *values_of("_eventType", ["", " ", "x", [], {}, 1, False, "PARTICIPANT.STATUS_CHANGED"]),
    *(b'{"_eventType": ""}', b'{"_eventType": ["x"]}', b'{"_eventType": {}, "payload": {}}'),
    *(b'{"_eventType": "x", "participantId": 7}', b'{"_eventType": "\\u0078", "a": NaN}', b'{"_eventType": "x",}'),
    b'{"participantId": "p", "status": 1}',
]

TIMES = """
2024-09-01T00:00:00Z
2024-09-01t02:00:00.1234569+02:00
2024-09-01T00:00:00z
2024-08-31T23:30:00.5-00:30
0000-12-31T23:30:00-01:00
0000-12-31T23:30:00Z
0001-01-01T00:00:00+00:01
0001-01-01T00:00:00Z
0001-12-31T23:00:00-23:59
0002-01-01T00:00:00+12:00
9999-01-01T00:00:00+01:00
1582-10-10T00:00:00Z
9999-12-31T23:59:59.999999-00:01
9999-12-31T23:59:59.9999999Z
9999-12-31T23:59:59+23:59
2024-02-30T00:00:00Z
2023-02-29T00:00:00Z
1900-02-29T00:00:00Z
2000-02-29T00:00:00Z
2024-00-01T00:00:00Z
2024-13-01T00:00:00Z
2024-01-00T00:00:00Z
2024-01-32T00:00:00Z
2024-09-01T24:00:00Z
2024-09-01T23:60:00Z
2024-09-01T23:59:60Z
2024-09-01T23:59:59.9999995Z
2024-09-01T00:00:00+24:00
2024-09-01T00:00:00+23:59
2024-09-01T00:00:00-23:59
2024-09-01T00:00:00+02:60
2024-09-01T00:00:00-00:00
2024-09-01T00:00:00+0200
2024-09-01T00:00:00+02
2024-09-01T00:00:00 +00:00
2024-09-01T00:00:00
2024-09-01 00:00:00Z
2024-09-01T00:00Z
2024-09-01T00:00:00.Z
2024-09-01T00:00:00,5Z
12024-09-01T00:00:00Z
-2024-09-01T00:00:00Z
+2024-09-01T00:00:00Z
20240901T000000Z
2024-9-1T00:00:00Z
2024-W36-1T00:00:00Z
2024-245T00:00:00Z
2024/09/01T00:00:00Z
infinity
epoch
now
today
1725148800
2024-09-01T00:00:00UTC
2024-09-01T00:00:00 Europe/Paris
""".splitlines()[1:]
OTHER_TIMES = [
    *(f"2024-09-01T00:00:00.{digits}Z" for digits in ("9" * 50, "0" * 30 + "1")),
    *("2024-09-01T00:00:00Z ", " 2024-09-01T00:00:00Z", "2024-09-01T00:00:00Z\n"),
    *("2024-09-01T00:00:00\u221201:00", "\u0662024-09-01T00:00:00Z"),
]

AWKWARD = tuple(
    dict.fromkeys(
        [
            *(line for line, _, _ in NOISE),
            *MARKED,
            *WHITE,
            *TEXT,
            *LENIENT,
            *FORMS,
            *REPEATED_KEYS,
            *ENVELOPES,
            *VALUES,
            *values_of("updatedAt", [*TIMES, *OTHER_TIMES]),
        ]
    )
)
