"""Text as people read it: numbers with their nouns, and ids and names from webhooks, of which a terminal obeys nothing."""

import unicodedata
from datetime import UTC, datetime

_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Joiners make one sign of two in Persian, Hindi and emoji, and do nothing else.
_KEPT = {"\u200c", "\u200d"}


def plain(text: str, keep: str = "") -> str:
    r"""The text with every control or format character as its escape (`\x1b`, `\u202e`), but for those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    obeyed = {one for one in text if unicodedata.category(one) in _ESCAPED} - _KEPT.union(keep)
    return "".join(one.encode("unicode_escape").decode("ascii") if one in obeyed else one for one in text)


def several(number: int, one: str, many: str = "") -> str:
    """1 study, 2 studies."""
    return f"{number:,} {plural(number, one, many)}"


def plural(number: int, one: str, many: str = "") -> str:
    """The word for one or for several: study, studies."""
    return one if number == 1 else many or f"{one}s"


def instant(moment: datetime) -> str:
    """An instant as SQL and machines read it: 2026-07-31T18:00:00Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
