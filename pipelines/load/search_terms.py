"""Search for ids, names and email addresses in text, in any encoding."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pipelines.load.encodings import TEXT_ENCODINGS, Encoding, decodings, text_encodings_for, text_of, unescape_layers
from pipelines.load.withhold import hash_of

if TYPE_CHECKING:
    from _typeshed import SupportsRead

Key = TypeVar("Key")

BLOCK = 4 << 20
LINES_AT_ONCE = 20_000
OVERLAP = 1 << 16

WORD = r"[\w-]"
SHORT = re.compile(r".{1,3}|\d{4,5}", re.DOTALL)
"""Ids that occur in any text by chance. They are only searched for in columns of ids, in quotes and as whole cells."""

QUOTED = r"(?:(?<=[\"'`>])|(?<=\| ))(?:{})(?=[\"'`<]| \|)"
IN_WORDS = rf"(?<!{WORD})(?:{{}})(?!{WORD}|\\[_-])"
"""Matches whole words only. Markdown escapes some characters in words."""
ADDRESS = r"(?<![\w.+-])(?:{})(?![\w-]|\.\w)"
"""Matches an email address, but not as the start or end of another one."""

# Parts of a text that are hashed and compared if only the hash of an id is known.
CANDIDATES = (
    re.compile(rf"{WORD}{{4,}}"),
    re.compile(r"""[^\s"',;=&?/<>(){}\[\]\\|`]{4,}"""),
    re.compile(r"""(?<=["'`>])[^"'`<>]+(?=["'`<])"""),
    re.compile(r"(?<=\| )[^|\n]+(?= \|)"),
    re.compile(r'"((?:[^"\\\n]|\\.)+)"'),
)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """Texts to search for, and salted hashes of ids that are no longer known. They are never printed, logged or stored.

    `spellings`: the texts and, if a text looks as if it has escapes, its decodings. `encodings`: those to try.
    """

    texts: tuple[str, ...]
    salt: str
    hashes: frozenset[str]
    encodings: tuple[Encoding, ...]
    spellings: tuple[str, ...]
    pattern: re.Pattern[str]

    def __repr__(self) -> str:
        """Only the numbers of terms: a traceback must not show ids."""
        return f"SearchTerms({len(self.texts)}, {len(self.hashes)})"

    @classmethod
    def of(cls, texts: Iterable[str], salt: str = "", hashes: Iterable[str] = ()) -> "SearchTerms":
        """Search terms for these texts, and for ids with these hashes."""
        terms = tuple(dict.fromkeys(text for text in texts if text))
        known_hashes = frozenset(hashes)
        spellings = {
            spelling
            for term in terms
            for spelling in unescape_layers(term)
            if term == spelling or not _is_short(spelling)
        }
        by_length = sorted(spellings, key=len, reverse=True)
        kinds = (
            (ADDRESS, [re.escape(term) for term in by_length if "@" in term]),
            (IN_WORDS, [re.escape(term) for term in by_length if "@" not in term and not _is_short(term)]),
            (QUOTED, [re.escape(term) for term in by_length if "@" not in term and _is_short(term)]),
        )
        pattern = "|".join(bounds.format("|".join(some)) for bounds, some in kinds if some)
        encodings = TEXT_ENCODINGS if known_hashes else text_encodings_for(terms)
        return cls(terms, salt, known_hashes, encodings, tuple(by_length), re.compile(pattern or r"(?!)"))

    @property
    def short(self) -> int:
        """How many texts are so short that they are only searched for where they do not occur by chance."""
        return sum(map(_is_short, self.texts))

    def occur_in(self, content: bytes) -> bool:
        """Whether one of the terms occurs in the bytes as a whole word, in any encoding."""
        return any(self._occur_in(decoding) for decoding in decodings(text_of(content), self.encodings))

    def _occur_in(self, text: str) -> bool:
        if any(spelling in text for spelling in self.spellings) and self.pattern.search(text):
            return True
        return bool(self.hashes) and not self.hashes.isdisjoint(hash_of(self.salt, word) for word in _candidates(text))

    def occur_in_stream(self, file: "SupportsRead[bytes]") -> bool:
        """Whether one of the terms occurs in a stream. It is read in overlapping blocks."""
        overlap = OVERLAP + 12 * max(map(len, self.texts), default=0)
        before = b""
        while block := file.read(BLOCK):
            if self.occur_in(before + block):
                return True
            before = (before + block)[-overlap:]
        return False

    def filter_lines(self, lines: Iterable[tuple[Key, bytes]]) -> Iterator[tuple[Key, bytes]]:
        """The lines in which one of the terms occurs."""
        rest = iter(lines)
        while block := list(_block(rest)):
            yield from self._filter_lines(block)

    def _filter_lines(self, lines: Sequence[tuple[Key, bytes]]) -> Iterator[tuple[Key, bytes]]:
        """Bisect the lines. Most blocks have no match, and one search in many lines is cheaper than many searches."""
        if not lines or not self.occur_in(b"\n".join(line for _, line in lines)):
            return
        if len(lines) == 1:
            yield from lines
            return
        half = len(lines) // 2
        yield from self._filter_lines(lines[:half])
        yield from self._filter_lines(lines[half:])


def _block(lines: Iterator[tuple[Key, bytes]]) -> Iterator[tuple[Key, bytes]]:
    size = 0
    for one in islice(lines, LINES_AT_ONCE):
        yield one
        size += len(one[1])
        if size > BLOCK:
            return


def _candidates(text: str) -> set[str]:
    found = {word for pattern in CANDIDATES for word in pattern.findall(text)}
    return {other for word in found for other in unescape_layers(word)}


def _is_short(text: str) -> bool:
    return SHORT.fullmatch(text) is not None
