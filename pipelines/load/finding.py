"""Find the webhook files under the files, folders, globs and addresses in object stores that the user names.

Names and the first line say whether a file counts. The same rules apply on disk and in object stores.
"""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipelines.compression import Compression
from pipelines.errors import SourceError
from pipelines.load.buckets import AT_ONCE, StoredObject
from pipelines.load.content import open_content, read_up_to
from pipelines.load.judge import BYTE_ORDER_MARK, is_document
from pipelines.load.objects import KnownObjects, beginning_of, listing_of, source_of
from pipelines.load.sources import SourceFile, compression_of, display_name, look_at
from pipelines.object_paths import ObjectPath, RawPath
from pipelines.plain import several
from pipelines.settings import SAMPLE

# Suffixes that rotation and compression add to a name: .1, -20260731, .2026-07-31, .gz
APPENDED = r"([._-]\d[\dT:._Z-]*)?(\.(gz|zst))?$"
WEBHOOKS = re.compile(r"\.(jsonl|ndjson)" + APPENDED, re.IGNORECASE)
PERHAPS_WEBHOOKS = re.compile(r"(^[^.]+|\.(json|log))" + APPENDED, re.IGNORECASE)
FILES_HELP = (
    "In a folder, studyflow reads files ending in .jsonl or .ndjson, and files ending in .json or .log or without an "
    "ending if their first line is a JSON object or array. A file named on its own is read unless it is a .csv."
)
CSV = re.compile(r"\.csv(\.(gz|zst))?$", re.IGNORECASE)
NO_WEBHOOKS = (
    "is a CSV file, not JSON lines, so it was not read. To describe studies or people, name the file in "
    "STUDYFLOW_STUDIES_FILE or STUDYFLOW_PEOPLE_FILE."
)
BEGINNING = 4 << 10
"""How many bytes of content are read to see whether the first line is JSON."""
COMPRESSED_BEGINNING = 256 << 10
"""How many bytes of a compressed object may be needed to decompress its first line."""
REMEDY = "Make it readable, or remove it."


@dataclass(slots=True)
class FoundFiles:
    """`sources`: files to read, sorted by name. `left_out`: names of files in the same folders that are not read.

    `empty_paths`: an error for each path without webhook files. `problems`: all other errors. `objects`: addresses of
    all objects that were listed. `scopes`: prefixes of addresses under which every object was listed.
    """

    sources: list[SourceFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    empty_paths: list[SourceError] = field(default_factory=list)
    problems: list[SourceError] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    scopes: list[str] = field(default_factory=list)


def find(paths: Iterable[RawPath], known: KnownObjects | None = None) -> FoundFiles:
    """Every webhook file under the paths, sorted by name. Hard and symbolic links to one file count once.

    The content of `known` objects is not read.
    """
    found = FoundFiles()
    files: set[Path] = set()
    objects: dict[str, SourceFile] = {}
    for path in paths:
        problems, left_out = len(found.problems), len(found.left_out)
        if isinstance(path, ObjectPath):
            objects_of_path = {source.name: source for source in _find_objects(path, found, known or {})}
            objects |= objects_of_path
            finds_any = bool(objects_of_path)
        else:
            files_of_path = set(_expand(path, found))
            files |= files_of_path
            finds_any = bool(files_of_path)
        if not finds_any and len(found.problems) == problems:
            others = sorted(found.left_out[left_out:])
            problem = f"has no webhook files{f', but {named(others)} of other kinds' if others else ''}. {FILES_HELP}"
            found.empty_paths.append(SourceError(display_name(path), problem))
    found.sources = sorted([*_look_at_each(files, found), *objects.values()], key=lambda source: source.name)
    found.left_out = sorted(set(found.left_out) - {source.name for source in found.sources})
    return found


def _look_at_each(files: Iterable[Path], found: FoundFiles) -> Iterable[SourceFile]:
    by_inode: dict[tuple[int | None, int | None], SourceFile] = {}
    for path in sorted(files, key=os.fsencode):
        try:
            source = look_at(path)
        except OSError as error:
            found.problems.append(SourceError(display_name(path), f"cannot be read ({error.strerror}). {REMEDY}"))
            continue
        by_inode.setdefault((source.device, source.inode), source)
    return by_inode.values()


def named(files: Sequence[str], most: int = 3) -> str:
    """The number of files and the first names, e.g. `5 files (a.csv, b.csv, c.csv, …)`."""
    first = ", ".join(os.path.basename(file) for file in files[:most])  # noqa: PTH119 - display names, not paths
    return f"{several(len(files), 'file')} ({first}{', …' if len(files) > most else ''})"


def _expand(path: Path, found: FoundFiles) -> Iterator[Path]:
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises if a parent folder cannot be read
        yield from _walk(path, found)
    elif os.path.lexists(path):
        if CSV.search(path.name):
            found.problems.append(SourceError(display_name(path), NO_WEBHOOKS))
        else:
            yield path
    elif matches := glob.glob(str(path), recursive=True):  # noqa: PTH207 - Path.glob rejects absolute patterns
        for match in map(Path, matches):
            if CSV.search(match.name):
                found.left_out.append(display_name(match))
            else:
                yield from _expand(match, found)
    else:
        nothing = "no such file or folder, and nothing matches it as a pattern. Check the path."
        found.problems.append(SourceError(display_name(path), nothing))


def _walk(folder: Path, found: FoundFiles) -> Iterator[Path]:
    def note(error: OSError) -> None:
        problem = f"cannot be listed ({error.strerror}). {REMEDY}"
        found.problems.append(SourceError(display_name(Path(error.filename)), problem))

    for parent, _, names in os.walk(folder, onerror=note):
        for name in names:
            path = Path(parent, name)
            if WEBHOOKS.search(name) or (PERHAPS_WEBHOOKS.search(name) and _begins_with_document(path)):
                yield path
            elif not name.startswith(".") and Path(parent) != SAMPLE:  # not README.md and the like of the sample
                found.left_out.append(display_name(path))


def _begins_with_document(path: Path) -> bool:
    """Whether the file begins with a JSON object or array; false if it cannot be read."""
    try:
        with open_content(look_at(path)) as content:
            return _is_beginning_of_document(read_up_to(content, BEGINNING))
    except (OSError, EOFError, pa.ArrowException):
        return False


def _find_objects(path: ObjectPath, found: FoundFiles, known: KnownObjects) -> Iterator[SourceFile]:
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
    yield from _sources(webhook_files, candidates, found, known)


def _sources(
    webhook_files: list[StoredObject], candidates: list[StoredObject], found: FoundFiles, known: KnownObjects
) -> Iterator[SourceFile]:
    """The objects as files to load; candidates only if they begin with a document.

    The first bytes of objects that are not `known` are read, in parallel.
    """
    new: list[StoredObject] = []
    for stored in (*webhook_files, *candidates):
        if compression := known.get((str(stored.path), stored.etag, stored.size)):
            yield source_of(stored, compression)
        else:
            new.append(stored)
    must_be_documents = set(candidates)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sources = pool.map(lambda stored: _look_at_object(stored, must_be_document=stored in must_be_documents), new)
        for stored, source in zip(new, sources, strict=True):
            if isinstance(source, SourceError):
                found.problems.append(source)
            elif source is None:
                found.left_out.append(str(stored.path))
            else:
                yield source


def _look_at_object(stored: StoredObject, *, must_be_document: bool) -> SourceFile | SourceError | None:
    """The object as a file to load, or why it cannot be read; None if it must be a document but is not."""
    try:
        beginning = beginning_of(stored, BEGINNING)
        compression = compression_of(beginning)
        if must_be_document and compression != "none":
            beginning = _decompressed(beginning_of(stored, COMPRESSED_BEGINNING), compression)
    except SourceError as problem:
        return problem
    if must_be_document and not _is_beginning_of_document(beginning):
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


def _is_beginning_of_document(beginning: bytes) -> bool:
    """Whether the first line is a JSON object or array. If the line is longer, only its first character counts."""
    line, newline, _ = beginning.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    goes_on = not newline and len(beginning) == BEGINNING
    return line[:1] in {b"{", b"["} and (goes_on or is_document(line))
