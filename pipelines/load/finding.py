"""Find the webhook files under the files, folders and globs that the user names."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.content import open_content, read_up_to
from pipelines.load.finding_objects import find_objects
from pipelines.load.found_files import (
    BEGINNING,
    CSV,
    FILES_HELP,
    NO_WEBHOOKS,
    PERHAPS_WEBHOOKS,
    WEBHOOKS,
    FoundFiles,
    begins_with_document,
)
from pipelines.load.objects import KnownObjects
from pipelines.load.sources import SourceFile, display_name, look_at
from pipelines.object_paths import ObjectPath, RawPath
from pipelines.settings import SAMPLE

REMEDY = "Make it readable, or remove it."


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
            of_path = {source.name: source for source in find_objects(path, found, known or {})}
            objects |= of_path
            finds_any = bool(of_path)
        else:
            files_of_path = set(_expand(path, found))
            files |= files_of_path
            finds_any = bool(files_of_path)
        if not finds_any and len(found.problems) == problems:
            others = sorted(found.left_out[left_out:])
            problem = f"has no webhook files{f', but {named(others)} of other kinds' if others else ''}. {FILES_HELP}"
            found.empty_paths.append(SourceError(_name(path), problem))
    found.sources = sorted([*_look_at_each(files, found), *objects.values()], key=lambda source: source.name)
    read = {source.name for source in found.sources}
    found.left_out = sorted(set(found.left_out) - read)
    return found


def _name(path: RawPath) -> str:
    return str(path) if isinstance(path, ObjectPath) else display_name(path)


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
    return f"{len(files):,} {'file' if len(files) == 1 else 'files'} ({first}{', …' if len(files) > most else ''})"


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
        found.problems.append(
            SourceError(
                display_name(path), "no such file or folder, and nothing matches it as a pattern. Check the path."
            )
        )


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
            return begins_with_document(read_up_to(content, BEGINNING))
    except (OSError, EOFError, pa.ArrowException):
        return False
