"""Text for people: numbers with their nouns, times, and text from webhooks made safe to print on a terminal."""

import unicodedata
from datetime import UTC, datetime

_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Joiners combine two characters in Persian, Hindi and emoji. They are harmless.
_KEPT = {"\u200c", "\u200d"}


def plain(text: str, keep: str = "") -> str:
    r"""The text with control and format characters escaped (`\x1b`, `\u202e`), except those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    unsafe = {one for one in text if unicodedata.category(one) in _ESCAPED} - _KEPT.union(keep)
    return "".join(one.encode("unicode_escape").decode("ascii") if one in unsafe else one for one in text)


def several(number: int, one: str, many: str = "") -> str:
    """The number with its noun: `1 study`, `2 studies`."""
    return f"{number:,} {plural(number, one, many)}"


def plural(number: int, one: str, many: str = "") -> str:
    """The noun for this number: `study` for 1, else `studies`."""
    return one if number == 1 else many or f"{one}s"


def instant(moment: datetime) -> str:
    """The instant in UTC as ISO 8601: 2026-07-31T18:00:00Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
