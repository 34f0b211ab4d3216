"""The texts that are searched for, and whether a text contains one of them, in any form."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from pipelines.load.forms import WHOLES, Form, layers, readings, text_of, wholes_for
from pipelines.load.withhold import hash_of

Key = TypeVar("Key")

BLOCK = 4 << 20
LINES_AT_ONCE = 20_000
OVERLAP = 1 << 16

WORD = r"[\w-]"
SHORT = re.compile(r".{1,3}|\d{4,5}", re.DOTALL)
"""Such ids are in any text by chance. They are searched for in columns of ids, in quotes and in whole table cells."""

QUOTED = r"(?:(?<=[\"'`>])|(?<=\| ))(?:{})(?=[\"'`<]| \|)"
IN_WORDS = rf"(?<!{WORD})(?:{{}})(?!{WORD}|\\[_-])"
"""Not as a part of a word, in which Markdown escapes some characters."""
ADDRESS = r"(?<![\w.+-])(?:{})(?![\w-]|\.\w)"
"""An email address, not as the end or beginning of another one."""

# What could be an id of which only the hash is known.
CANDIDATES = (
    re.compile(rf"{WORD}{{4,}}"),
    re.compile(r"""[^\s"',;=&?/<>(){}\[\]\\|`]{4,}"""),
    re.compile(r"""(?<=["'`>])[^"'`<>]+(?=["'`<])"""),
    re.compile(r"(?<=\| )[^|\n]+(?= \|)"),
    re.compile(r'"((?:[^"\\\n]|\\.)+)"'),
)


class Readable(Protocol):
    """A stream from which a number of bytes can be read."""

    def read(self, size: int, /) -> bytes:
        """The next of them; none at the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Texts, and ids of which only the salted hashes are known. They are never printed, logged or kept.

    `spellings`: the texts, and what comes of those that look as if they had escapes.
    """

    texts: tuple[str, ...]
    salt: str
    hashes: frozenset[str]
    wholes: tuple[Form, ...]
    spellings: tuple[str, ...]
    pattern: re.Pattern[str]

    def __repr__(self) -> str:
        """Nothing of them."""
        return f"Wanted({len(self.texts)}, {len(self.hashes)})"

    @classmethod
    def of(cls, texts: Iterable[str], salt: str = "", hashes: Iterable[str] = ()) -> "Wanted":
        """What finds these."""
        wanted = tuple(dict.fromkeys(text for text in texts if text))
        hidden = frozenset(hashes)
        spellings = {
            spelling for one in wanted for spelling in layers(one) if one == spelling or not _is_short(spelling)
        }
        by_length = sorted(spellings, key=len, reverse=True)
        kinds = (
            (ADDRESS, [re.escape(one) for one in by_length if "@" in one]),
            (IN_WORDS, [re.escape(one) for one in by_length if "@" not in one and not _is_short(one)]),
            (QUOTED, [re.escape(one) for one in by_length if "@" not in one and _is_short(one)]),
        )
        pattern = "|".join(bounds.format("|".join(some)) for bounds, some in kinds if some)
        wholes = WHOLES if hidden else wholes_for(wanted)
        return cls(wanted, salt, hidden, wholes, tuple(by_length), re.compile(pattern or r"(?!)"))

    @property
    def short(self) -> int:
        """How many of them are searched for only where they cannot stand by chance."""
        return sum(map(_is_short, self.texts))

    def are_in(self, content: bytes) -> bool:
        """Whether one of them is in the bytes, in any form, and not as a part of another word."""
        return any(self._are_in(reading) for reading in readings(text_of(content), self.wholes))

    def _are_in(self, text: str) -> bool:
        if any(one in text for one in self.spellings) and self.pattern.search(text):
            return True
        return bool(self.hashes) and not self.hashes.isdisjoint(hash_of(self.salt, word) for word in _candidates(text))

    def are_in_stream(self, file: Readable) -> bool:
        """The same of all that can be read from a file."""
        overlap = OVERLAP + 12 * max(map(len, self.texts), default=0)
        before = b""
        while block := file.read(BLOCK):
            if self.are_in(before + block):
                return True
            before = (before + block)[-overlap:]
        return False

    def among(self, lines: Iterable[tuple[Key, bytes]]) -> Iterator[tuple[Key, bytes]]:
        """Those of the lines in which one of them is."""
        rest = iter(lines)
        while some := list(_block(rest)):
            yield from self._among(some)

    def _among(self, lines: Sequence[tuple[Key, bytes]]) -> Iterator[tuple[Key, bytes]]:
        """By halves: most blocks have none, and one look at many lines is cheaper than many looks."""
        if not lines or not self.are_in(b"\n".join(line for _, line in lines)):
            return
        if len(lines) == 1:
            yield from lines
            return
        half = len(lines) // 2
        yield from self._among(lines[:half])
        yield from self._among(lines[half:])


def _block(lines: Iterator[tuple[Key, bytes]]) -> Iterator[tuple[Key, bytes]]:
    size = 0
    for one in islice(lines, LINES_AT_ONCE):
        yield one
        size += len(one[1])
        if size > BLOCK:
            return


def _candidates(text: str) -> set[str]:
    found = {word for pattern in CANDIDATES for word in pattern.findall(text)}
    return {other for word in found for other in layers(word)}


def _is_short(text: str) -> bool:
    return SHORT.fullmatch(text) is not None
