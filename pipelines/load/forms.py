"""The forms in which a text can hold an id: a text is searched as it is, and with these undone, one inside another."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

LAYERS = 6
"""How often escapes are undone: JSON in JSON has two layers."""

BASE64_LAYERS = 2

NOT_UNDONE = (
    "hexadecimal, base32, base64 in several lines, base64 of UTF-16, archives inside another form, encryption, pictures"
)

_BACKSLASH = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\+u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([bfnrt0])|([^\w\s]|_))"
)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_PERCENT = re.compile("(?:%[0-9a-fA-F]{2})+")
_EXCEL = re.compile("_x([0-9a-fA-F]{4})_")


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write text. `undo` gives all that a text with `sign` in it can stand for.

    `needs`: only ids in which this pattern is found look different in this form.
    """

    name: str
    sign: str
    undo: Callable[[str], Iterator[str]]
    needs: str = ""


def text_of(content: bytes) -> str:
    """The bytes as text; what is no UTF-8 stays as it is, one character a byte."""
    return content.decode("utf-8", "surrogateescape")


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, once escapes are undone
        return text.encode("utf-8", "replace")


def _backslash(text: str) -> Iterator[str]:
    def undone(found: re.Match[str]) -> str:
        high, low, four, two, eight, control, other = found.groups()
        if high:
            return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
        if code := four or two or eight:
            return chr(min(int(code, 16), 0x10FFFF))
        return _CONTROLS[control] if control else other

    yield _BACKSLASH.sub(undone, text)


def _percent(text: str) -> Iterator[str]:
    yield _PERCENT.sub(lambda found: text_of(bytes.fromhex(found[0].replace("%", ""))), text)


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
"""Text of some length: what base64 is not says little of that."""


def _base64(text: str) -> Iterator[str]:
    """Each decoding of each run of the alphabet, with groups of four starting at any offset; the character that ends it is not part of a word."""
    places = np.frombuffer(text.encode("latin-1", "replace").translate(_PLACES) + bytes(7), np.uint8)
    groups = len(text) // 4 + 1
    for start in range(4):
        a, b, c, d = (places[start + place :: 4][:groups] for place in range(4))
        said = np.stack([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d], axis=1).tobytes()
        yield "\n".join(_WORDS.findall(said.decode("utf-8", "replace")))


ESCAPES = (
    Form("percent-encoding", "%", _percent),
    Form("entities (HTML, XML)", "&", lambda text: iter((html.unescape(text),))),
    Form("escapes with backslashes (JSON, Markdown)", "\\", _backslash),
    Form("Excel's escapes", "_x", _excel),
)
"""Of single characters. All of them are undone together."""

WHOLES = (
    Form("UTF-16", "\0", lambda text: iter((text.replace("\0", ""),))),
    Form("UTF-16 of letters that are not ASCII", "\0", _wide, needs=r"[^\0-\x7f]"),
    Form("doubled quotes (CSV)", '""', lambda text: iter((text.replace('""', '"'),)), needs='"'),
    Form("plus signs for spaces", "+", lambda text: iter((text.replace("+", " "),)), needs=" "),
)
"""Of a whole text. These are undone first, each also in what comes of those before it."""

BASE64 = Form("base64, standard and for addresses", "", _base64)

FORMS = (*WHOLES, *ESCAPES, BASE64)


def wholes_for(texts: Iterable[str]) -> tuple[Form, ...]:
    """The forms of `WHOLES` in which one of the texts looks different."""
    wanted = list(texts)
    return tuple(form for form in WHOLES if any(re.search(form.needs, one) for one in wanted))


def readings(text: str, wholes: tuple[Form, ...]) -> Iterator[str]:
    """The text, then all that it says with forms undone. What was none is read as if it were, too; that does no harm."""
    texts = [text]
    for form in wholes:
        texts += [other for one in texts if form.sign in one for other in form.undo(one)]
    for one in texts:
        yield from _layers(one, BASE64_LAYERS)


def layers(text: str) -> Iterator[str]:
    """The text, then the same with one kind of escapes after another undone, until none is left."""
    yield text
    for _ in range(LAYERS):
        before = text
        for form in ESCAPES:
            for _ in range(LAYERS):
                undone = next(form.undo(text)) if form.sign in text else text
                if undone == text:
                    break
                text = undone
                yield text
        if text == before:
            return


def _layers(text: str, base64_layers: int) -> Iterator[str]:
    for one in layers(text):
        yield one
        if base64_layers:
            for inner in BASE64.undo(one):
                yield from _layers(inner, base64_layers - 1)
