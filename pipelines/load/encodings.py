"""Encodings in which a text can contain an id. A search reads the text as it is and decoded, layer by layer."""

import html
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np

LAYERS = 6
"""How many nested layers of escapes are decoded. JSON in JSON has two."""

BASE64_LAYERS = 2

NOT_DECODED = "hexadecimal, base32, base64 in several lines, base64 of UTF-16, archives inside another encoding, encryption, images"

_BACKSLASH = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\+u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([bfnrt0])|([^\w\s]|_))"
)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_EXCEL = re.compile("_x([0-9a-fA-F]{4})_")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding of text. `decode` yields every possible decoding of a text that contains `marker`.

    `needs`: only ids that match this pattern look different in this encoding.
    """

    name: str
    marker: str
    decode: Callable[[str], Iterator[str]]
    needs: str = ""


def text_of(content: bytes) -> str:
    """The bytes decoded as UTF-8. Each byte that is not UTF-8 becomes one (surrogate) character."""
    return content.decode("utf-8", "surrogateescape")


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # decoded escapes may leave half of a surrogate pair
        return text.encode("utf-8", "replace")


def _backslash(text: str) -> Iterator[str]:
    def decoded(found: re.Match[str]) -> str:
        high, low, four, two, eight, control, other = found.groups()
        if high:
            return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
        if code := four or two or eight:
            return chr(min(int(code, 16), 0x10FFFF))
        return _CONTROLS[control] if control else other

    yield _BACKSLASH.sub(decoded, text)


def _excel(text: str) -> Iterator[str]:
    yield _EXCEL.sub(lambda found: chr(int(found[1], 16)), text)


def _wide(text: str) -> Iterator[str]:
    content = _bytes_of(text)
    for order in ("utf-16-le", "utf-16-be"):
        yield content.decode(order, "ignore")
        yield content[1:].decode(order, "ignore")


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PLACES = bytes(
    max(_ALPHABET.find(b"+/"["-_".index(one)] if one in "-_" else ord(one)), 0) for one in map(chr, range(256))
)
_WORDS = re.compile("[^\0-\x1f\x7f\ufffd]{4,}")
"""Runs of printable text. Decoding something that is not base64 yields few of them."""


def _base64(text: str) -> Iterator[str]:
    """Four decodings of the whole text, one for each offset at which groups of four characters can start.

    Characters outside the alphabet are decoded as zeros, so base64 inside other text is found, too.
    """
    places = np.frombuffer(text.encode("latin-1", "replace").translate(_PLACES) + bytes(7), np.uint8)
    groups = len(text) // 4 + 1
    for start in range(4):
        a, b, c, d = (places[start + place :: 4][:groups] for place in range(4))
        content = np.stack([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d], axis=1).tobytes()
        yield "\n".join(_WORDS.findall(content.decode("utf-8", "replace")))


ESCAPES = (
    Encoding("percent-encoding", "%", lambda text: iter((unquote(text, errors="surrogateescape"),))),
    Encoding("entities (HTML, XML)", "&", lambda text: iter((html.unescape(text),))),
    Encoding("escapes with backslashes (JSON, Markdown)", "\\", _backslash),
    Encoding("Excel's escapes", "_x", _excel),
)
"""Escapes of single characters. They are decoded in turn until none is left."""

TEXT_ENCODINGS = (
    Encoding("UTF-16", "\0", lambda text: iter((text.replace("\0", ""),))),
    Encoding("UTF-16 of letters that are not ASCII", "\0", _wide, needs=r"[^\0-\x7f]"),
    Encoding("doubled quotes (CSV)", '""', lambda text: iter((text.replace('""', '"'),)), needs='"'),
    Encoding("plus signs for spaces", "+", lambda text: iter((text.replace("+", " "),)), needs=" "),
)
"""Encodings of a whole text. They are decoded first, each applied to the results of those before it, too."""

BASE64 = Encoding("base64, standard and URL-safe", "", _base64)

ENCODINGS = (*TEXT_ENCODINGS, *ESCAPES, BASE64)


def text_encodings_for(texts: Collection[str]) -> tuple[Encoding, ...]:
    """Those of `TEXT_ENCODINGS` in which one of the texts looks different."""
    return tuple(encoding for encoding in TEXT_ENCODINGS if any(re.search(encoding.needs, one) for one in texts))


def decodings(text: str, encodings: tuple[Encoding, ...]) -> Iterator[str]:
    """The text and all its decodings. Text that is not encoded is decoded, too, which yields harmless noise."""
    texts = [text]
    for encoding in encodings:
        texts += [other for one in texts if encoding.marker in one for other in encoding.decode(one)]
    for one in texts:
        yield from _decode_layers(one, BASE64_LAYERS)


def unescape_layers(text: str) -> Iterator[str]:
    """The text, then the text after each step of decoding one kind of escapes, until none is left."""
    yield text
    for _ in range(LAYERS):
        before = text
        for encoding in ESCAPES:
            for _ in range(LAYERS):
                decoded = next(encoding.decode(text)) if encoding.marker in text else text
                if decoded == text:
                    break
                text = decoded
                yield text
        if text == before:
            return


def _decode_layers(text: str, base64_layers: int) -> Iterator[str]:
    for one in unescape_layers(text):
        yield one
        if base64_layers:
            for inner in BASE64.decode(one):
                yield from _decode_layers(inner, base64_layers - 1)
