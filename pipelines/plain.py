"""Text that a terminal shows as it stands: ids and names come from webhooks, and a terminal obeys what it reads."""

import unicodedata

_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Joiners make one sign of two in Persian, Hindi and emoji, and do nothing else.
_KEPT = {"\u200c", "\u200d"}


def plain(text: str, keep: str = "") -> str:
    r"""The text with every control or format character as its escape (`\x1b`, `\u202e`), but for those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or not _is_obeyed(one) else _escape(one) for one in text)


def _is_obeyed(one: str) -> bool:
    return unicodedata.category(one) in _ESCAPED and one not in _KEPT


def _escape(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
