"""Find webhook files in object stores, by the same rules for names and folders as on disk."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pyarrow as pa

from pipelines.compression import Compression
from pipelines.errors import SourceError
from pipelines.load.buckets import AT_ONCE, StoredObject
from pipelines.load.found_files import (
    BEGINNING,
    CSV,
    NO_WEBHOOKS,
    PERHAPS_WEBHOOKS,
    WEBHOOKS,
    FoundFiles,
    begins_with_document,
)
from pipelines.load.objects import KnownObjects, beginning_of, listing_of, source_of
from pipelines.load.sources import SourceFile, compression_of
from pipelines.object_paths import ObjectPath

COMPRESSED_BEGINNING = 256 << 10
"""How many bytes of a compressed object may be needed to decompress its first line."""


def find_objects(path: ObjectPath, found: FoundFiles, known: KnownObjects) -> Iterator[SourceFile]:
    """The webhook files among the objects at an address. All other objects, and problems, are noted in `found`."""
    try:
        listing = listing_of(path)
    except SourceError as problem:
        found.problems.append(problem)
        return
    found.objects |= listing.everything
    found.scopes += [listing.scope] if listing.scope else []
    if path.key and not (listing.named or listing.inside):
        nothing = "no such object or folder, and nothing matches it as a pattern. Check the address."
        found.problems.append(SourceError(str(path), nothing))
    sure: list[StoredObject] = []
    perhaps: list[StoredObject] = []
    for one in listing.named:
        if not CSV.search(one.path.name):
            sure.append(one)
        elif listing.is_pattern:
            found.left_out.append(str(one.path))
        else:
            found.problems.append(SourceError(str(one.path), NO_WEBHOOKS))
    for one in listing.inside:
        if WEBHOOKS.search(one.path.name):
            sure.append(one)
        elif PERHAPS_WEBHOOKS.search(one.path.name):
            perhaps.append(one)
        elif not one.path.name.startswith("."):
            found.left_out.append(str(one.path))
    yield from _sources(sure, found, known, must_be_documents=False)
    yield from _sources(perhaps, found, known, must_be_documents=True)


def _sources(
    objects: Iterable[StoredObject], found: FoundFiles, known: KnownObjects, *, must_be_documents: bool
) -> Iterator[SourceFile]:
    """The objects as files to load. The first bytes of objects that are not `known` are read, in parallel."""
    new: list[StoredObject] = []
    for one in objects:
        if compression := known.get((str(one.path), one.etag, one.size)):
            yield source_of(one, compression)
        else:
            new.append(one)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one, source in zip(new, pool.map(partial(_look, must_be_document=must_be_documents), new), strict=True):
            if isinstance(source, SourceError):
                found.problems.append(source)
            elif source is None:
                found.left_out.append(str(one.path))
            else:
                yield source


def _look(one: StoredObject, *, must_be_document: bool) -> SourceFile | SourceError | None:
    """The object as a file to load, or why it cannot be read; None if it must be a document but is not."""
    try:
        beginning = beginning_of(one, BEGINNING)
        compression = compression_of(beginning)
        if must_be_document and compression != "none":
            beginning = _decompressed(beginning_of(one, COMPRESSED_BEGINNING), compression)
    except SourceError as problem:
        return problem
    if must_be_document and not begins_with_document(beginning):
        return None
    return source_of(one, compression)


def _decompressed(beginning: bytes, compression: Compression) -> bytes:
    """The start of the content, as far as these bytes can be decompressed."""
    content = b""
    with (
        suppress(OSError, EOFError, pa.ArrowException),
        pa.CompressedInputStream(pa.BufferReader(beginning), compression) as stream,
    ):
        while len(content) < BEGINNING and (byte := stream.read(1)):
            content += byte
    return content
