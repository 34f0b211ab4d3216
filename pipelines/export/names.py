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
    level = {id_: int(not id_ or _cleaned(id_) != id_) for id_ in ids}
    kept = {name.lower() for name in taken}
    while True:
        alike: dict[str, list[str]] = {}
        names = {id_: _name(id_, _HASH_LENGTHS[step]) for id_, step in level.items()}
        for id_, name in names.items():
            alike.setdefault(name.lower(), []).append(id_)
        clashes = [clash for name, clash in alike.items() if len(clash) > 1 or (clash and name in kept)]
        if not clashes:
            return names
        for clash in clashes:
            lowest = min(level[id_] for id_ in clash)
            level.update((id_, lowest + 1) for id_ in clash if level[id_] == lowest)


def _name(id_: str, hash_length: int) -> str:
    if not hash_length:
        return id_
    digest = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:hash_length]
    return f"{_cleaned(id_)}-{digest}".lstrip("-")


def _cleaned(id_: str) -> str:
    """The id with only characters that have no meaning for shells and file systems; may be empty."""
    harmless = re.sub(r"\.{2,}|[^A-Za-z0-9._-]", "_", id_).lstrip(".-")[:LONGEST].rstrip(".")
    return f"_{harmless}" if _DEVICE.fullmatch(harmless) else harmless
