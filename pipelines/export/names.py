"""Make names of files and folders from ids, which may contain any characters."""

import hashlib
import re
from collections.abc import Collection, Iterable

LONGEST = 80
_HASH_LENGTHS = (0, 8, 64)
# Windows reserves these names for devices, with any extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def distinct_names(ids: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """A distinct name for each id that is safe on every file system, also if that ignores case.

    An id that is already a safe name keeps it. Any other name is made of the id's ASCII letters, digits, dots, dashes
    and underscores, and a short hash of the id. It depends on other ids only if names clash.
    """
    level = {one: int(not one or _cleaned(one) != one) for one in ids}
    kept = {name.lower() for name in taken}
    while True:
        alike: dict[str, list[str]] = {}
        names = {one: _name(one, _HASH_LENGTHS[step]) for one, step in level.items()}
        for one, name in names.items():
            alike.setdefault(name.lower(), []).append(one)
        clashes = [clash for name, clash in alike.items() if len(clash) > 1 or (clash and name in kept)]
        if not clashes:
            return names
        for clash in clashes:
            lowest = min(level[one] for one in clash)
            level.update((one, lowest + 1) for one in clash if level[one] == lowest)


def _name(one: str, hash_length: int) -> str:
    if not hash_length:
        return one
    digest = hashlib.sha256(one.encode("utf-8", "surrogatepass")).hexdigest()[:hash_length]
    return f"{_cleaned(one)}-{digest}".lstrip("-")


def _cleaned(one: str) -> str:
    """The id with only characters that have no meaning for shells and file systems; may be empty."""
    harmless = re.sub(r"\.{2,}|[^A-Za-z0-9._-]", "_", one).lstrip(".-")[:LONGEST].rstrip(".")
    return f"_{harmless}" if _DEVICE.fullmatch(harmless) else harmless
