"""The ids of the one who is forgotten, and how they are found in text. They are never printed, logged or kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

SHORTEST_IN_TEXT = 6
"""Shorter ids are found in any text and any file by chance. They are looked for where ids stand and in quotes only."""

NOTHING = r"[^\x{0}-\x{10FFFF}]"


@dataclass(frozen=True, slots=True)
class Ids:
    """The id of a person and those of their participants, as far as they are known."""

    person: str = field(repr=False)
    participants: tuple[str, ...] = field(repr=False)

    @property
    def all(self) -> tuple[str, ...]:
        """Every one once."""
        return tuple(dict.fromkeys((self.person, *self.participants)))

    @property
    def long(self) -> tuple[str, ...]:
        """Those that stand in no text by chance."""
        return tuple(one for one in self.all if len(one) >= SHORTEST_IN_TEXT)

    @property
    def pattern(self) -> str:
        """A regular expression for DuckDB: a long one of them, and not as a part of another word."""
        if not self.long:
            return NOTHING
        return rf"(^|[^\pL\pN_-])({'|'.join(map(_literally, self.long))})($|[^\pL\pN_-])"

    @property
    def pattern_of_bytes(self) -> re.Pattern[bytes] | None:
        """The same for the bytes of a file, in any form that CSV and JSON give them."""
        if not self.long:
            return None
        forms = {form for one in self.long for form in _forms(one)}
        return re.compile(rb"(?<![\w-])(?:" + b"|".join(map(re.escape, sorted(forms))) + rb")(?![\w-])")


def _literally(text: str) -> str:
    return "".join(one if one.isalnum() else f"\\x{{{ord(one):X}}}" for one in text)


def _forms(one: str) -> Iterable[bytes]:
    import json  # noqa: PLC0415

    yield one.encode("utf-8", "surrogatepass")
    yield one.replace('"', '""').encode("utf-8", "surrogatepass")
    yield json.dumps(one)[1:-1].encode()
    yield json.dumps(one, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
