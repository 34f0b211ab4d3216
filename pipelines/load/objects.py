"""List the objects at an address: a single one, all in a folder, or those that match a pattern."""

import glob
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pipelines.compression import Compression
from pipelines.errors import SourceError
from pipelines.load.buckets import AT_ONCE, StoredObject, bucket_of
from pipelines.load.sources import SourceFile, compression_of
from pipelines.object_paths import ObjectPath, object_path

LONGEST_MAGIC = 4

KnownObjects = dict[tuple[str, str, int], Compression]
"""The compression of objects that have been read before, by address, ETag and size."""


@dataclass(slots=True)
class ObjectListing:
    """`named`: objects that an address or pattern matches itself. `inside`: objects in the folders that it matches.

    `scope`: every object whose address begins with this was listed; empty if only one object was looked for.
    `everything`: addresses of all objects that were listed.
    """

    named: list[StoredObject] = field(default_factory=list)
    inside: list[StoredObject] = field(default_factory=list)
    is_pattern: bool = False
    scope: str = ""
    everything: set[str] = field(default_factory=set)


def listing_of(path: ObjectPath) -> ObjectListing:
    """The objects at an address. If an object has exactly this address, it is not taken for a pattern.

    Raises:
        SourceError: the bucket cannot be listed.
    """
    bucket = bucket_of(path)
    with suppress(SourceError):  # credentials that may list a folder need not allow a request for its own name
        if path.key and (stored := bucket.find(path.key)):
            return ObjectListing(named=[stored])
    parts = [part for part in path.key.split("/") if part]
    fixed = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    folder = "/".join(parts[:fixed])
    listing = ObjectListing(is_pattern=fixed < len(parts), scope=str(path.at(f"{folder}/" if folder else "")))
    for stored in bucket.list(folder):
        listing.everything.add(str(stored.path))
        if not stored.size and "." not in stored.path.name:  # an empty object that stands for a folder
            continue
        names = stored.path.key.split("/")[fixed:]
        lengths = set(_match_lengths(parts[fixed:], names))
        if listing.is_pattern and len(names) in lengths:
            listing.named.append(stored)
        elif lengths:
            listing.inside.append(stored)
    return listing


def _match_lengths(pattern: Sequence[str], names: Sequence[str]) -> Iterator[int]:
    """Each n for which the first n names match the whole pattern: all names, or a folder that contains the rest."""
    if not pattern:
        yield 0
    elif pattern[0] == "**":
        for more in range(len(names) + 1):
            if not any(name.startswith(".") for name in names[:more]):
                yield from (more + length for length in _match_lengths(pattern[1:], names[more:]))
    elif names and fnmatchcase(names[0], pattern[0]) and (names[0][0] != "." or pattern[0][0] == "."):
        yield from (1 + length for length in _match_lengths(pattern[1:], names[1:]))


def beginning_of(stored: StoredObject, size: int) -> bytes:
    """The first bytes of an object, not decompressed.

    Raises:
        SourceError: it cannot be read.
    """
    end = min(size, stored.size)
    return bytes(bucket_of(stored.path).read(stored.path.key, stored.etag, 0, end)) if end else b""


def source_of(stored: StoredObject, compression: Compression) -> SourceFile:
    """The object as a file to load."""
    return SourceFile(
        path=stored.path,
        name=str(stored.path),
        size=stored.size,
        modified_ns=stored.modified_ns,
        changed_ns=stored.modified_ns,
        compression=compression,
        etag=stored.etag,
    )


def look_at_object(path: ObjectPath) -> SourceFile | None:
    """The object at an address as it is now; None if there is none.

    Raises:
        SourceError: it cannot be read.
    """
    if not (stored := bucket_of(path).find(path.key)):
        return None
    return source_of(stored, compression_of(beginning_of(stored, LONGEST_MAGIC)))


def look_at_objects(paths: Sequence[ObjectPath]) -> Iterator[tuple[ObjectPath, SourceFile | SourceError | None]]:
    """Each address with its object as it is now, None if there is none, or why it cannot be read."""

    def look(path: ObjectPath) -> SourceFile | SourceError | None:
        try:
            return look_at_object(path)
        except SourceError as problem:
            return problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(paths, pool.map(look, paths), strict=True)


def vanished(names: Iterable[str]) -> set[str]:
    """The addresses whose object no longer exists. If a store cannot be asked, its objects do not count as vanished."""

    def is_there(path: ObjectPath) -> bool:
        return bucket_of(path).find(path.key) is not None

    paths = [path for name in names if (path := object_path(name))]
    missing: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool, suppress(SourceError):
        for path, found in zip(paths, pool.map(is_there, paths), strict=True):
            if not found:
                missing.add(str(path))
    return missing
