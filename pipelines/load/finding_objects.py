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
    webhook_files: list[StoredObject] = []
    candidates: list[StoredObject] = []
    for stored in listing.named:
        if not CSV.search(stored.path.name):
            webhook_files.append(stored)
        elif listing.is_pattern:
            found.left_out.append(str(stored.path))
        else:
            found.problems.append(SourceError(str(stored.path), NO_WEBHOOKS))
    for stored in listing.inside:
        if WEBHOOKS.search(stored.path.name):
            webhook_files.append(stored)
        elif PERHAPS_WEBHOOKS.search(stored.path.name):
            candidates.append(stored)
        elif not stored.path.name.startswith("."):
            found.left_out.append(str(stored.path))
    yield from _sources(webhook_files, found, known, must_be_documents=False)
    yield from _sources(candidates, found, known, must_be_documents=True)


def _sources(
    objects: Iterable[StoredObject], found: FoundFiles, known: KnownObjects, *, must_be_documents: bool
) -> Iterator[SourceFile]:
    """The objects as files to load. The first bytes of objects that are not `known` are read, in parallel."""
    new: list[StoredObject] = []
    for stored in objects:
        if compression := known.get((str(stored.path), stored.etag, stored.size)):
            yield source_of(stored, compression)
        else:
            new.append(stored)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for stored, source in zip(new, pool.map(partial(_look, must_be_document=must_be_documents), new), strict=True):
            if isinstance(source, SourceError):
                found.problems.append(source)
            elif source is None:
                found.left_out.append(str(stored.path))
            else:
                yield source


def _look(stored: StoredObject, *, must_be_document: bool) -> SourceFile | SourceError | None:
    """The object as a file to load, or why it cannot be read; None if it must be a document but is not."""
    try:
        beginning = beginning_of(stored, BEGINNING)
        compression = compression_of(beginning)
        if must_be_document and compression != "none":
            beginning = _decompressed(beginning_of(stored, COMPRESSED_BEGINNING), compression)
    except SourceError as problem:
        return problem
    if must_be_document and not begins_with_document(beginning):
        return None
    return source_of(stored, compression)


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
