"""Objects that an address stands for: one, all in a folder, or those that match a pattern."""

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
"""How objects are compressed that have been read before: by address, ETag and size."""


@dataclass(slots=True)
class ObjectListing:
    """Objects that an address or a pattern names itself, and those in the folders that it names.

    `scope`: every object whose address begins with it was listed; empty if only one object was looked for.
    """

    named: list[StoredObject] = field(default_factory=list)
    inside: list[StoredObject] = field(default_factory=list)
    is_pattern: bool = False
    scope: str = ""
    everything: set[str] = field(default_factory=set)


def listing_of(path: ObjectPath) -> ObjectListing:
    """The objects that an address stands for. One that exists is never taken for a pattern.

    Raises:
        SourceError: the bucket cannot be listed.
    """
    bucket = bucket_of(path)
    with suppress(SourceError):  # who may list and read a folder need not be allowed to look for what it is called
        if path.key and (one := bucket.find(path.key)):
            return ObjectListing(named=[one])
    parts = [part for part in path.key.split("/") if part]
    fixed = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    folder = "/".join(parts[:fixed])
    listing = ObjectListing(is_pattern=fixed < len(parts), scope=str(path.at(f"{folder}/" if folder else "")))
    for one in bucket.list(folder):
        listing.everything.add(str(one.path))
        if not one.size and "." not in one.path.name:  # stores mark folders like this
            continue
        names = one.path.key.split("/")[fixed:]
        stands_for = set(_lengths(parts[fixed:], names))
        if listing.is_pattern and len(names) in stands_for:
            listing.named.append(one)
        elif stands_for:
            listing.inside.append(one)
    return listing


def _lengths(pattern: Sequence[str], names: Sequence[str]) -> Iterator[int]:
    """How many of the names, from the first on, match the pattern: all of them, or only the folders that they are in."""
    if not pattern:
        yield 0
    elif pattern[0] == "**":
        for more in range(len(names) + 1):
            if not any(name.startswith(".") for name in names[:more]):
                yield from (more + length for length in _lengths(pattern[1:], names[more:]))
    elif names and fnmatchcase(names[0], pattern[0]) and (names[0][0] != "." or pattern[0][0] == "."):
        yield from (1 + length for length in _lengths(pattern[1:], names[1:]))


def beginning_of(one: StoredObject, size: int) -> bytes:
    """The first bytes of an object, compressed as they are.

    Raises:
        SourceError: it cannot be read.
    """
    end = min(size, one.size)
    return bytes(bucket_of(one.path).read(one.path.key, one.etag, 0, end)) if end else b""


def source_of(one: StoredObject, compression: Compression) -> SourceFile:
    """The object as a file to load."""
    return SourceFile(
        path=one.path,
        name=str(one.path),
        size=one.size,
        modified_ns=one.modified_ns,
        changed_ns=one.modified_ns,
        compression=compression,
        etag=one.etag,
    )


def look_at_object(path: ObjectPath) -> SourceFile | None:
    """The object as it is now, if there is one.

    Raises:
        SourceError: it cannot be read.
    """
    if not (one := bucket_of(path).find(path.key)):
        return None
    return source_of(one, compression_of(beginning_of(one, LONGEST_MAGIC)))


def looked_at(paths: Sequence[ObjectPath]) -> Iterator[tuple[ObjectPath, SourceFile | SourceError | None]]:
    """Each address with the object that is there now, if there is one, or why it cannot be read."""

    def look(path: ObjectPath) -> SourceFile | SourceError | None:
        try:
            return look_at_object(path)
        except SourceError as problem:
            return problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(paths, pool.map(look, paths), strict=True)


def vanished(names: Iterable[str]) -> set[str]:
    """Those of the addresses at which there is no object any more. Nothing has vanished from where nobody can look."""

    def is_there(path: ObjectPath) -> bool:
        return bucket_of(path).find(path.key) is not None

    paths = [path for name in names if (path := object_path(name))]
    gone: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool, suppress(SourceError):
        for path, found in zip(paths, pool.map(is_there, paths), strict=True):
            if not found:
                gone.add(str(path))
    return gone
