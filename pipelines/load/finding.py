"""Which files to read: files, folders and globs as a person gives them, as a list of files in a fixed order."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.content import open_content, take
from pipelines.load.judge import BYTE_ORDER_MARK, is_document
from pipelines.load.sources import SourceFile, display_name, look_at
from pipelines.settings import SAMPLE

# What rotation and compression append to a name: .1, -20260731, .2026-07-31, .gz
APPENDED = r"([._-]\d[\dT:._Z-]*)?(\.(gz|zst))?$"
WEBHOOKS = re.compile(r"\.(jsonl|ndjson)" + APPENDED, re.IGNORECASE)
PERHAPS_WEBHOOKS = re.compile(r"(^[^.]+|\.(json|log))" + APPENDED, re.IGNORECASE)
WHAT_IS_READ = (
    "In a folder, studyflow reads files ending in .jsonl or .ndjson, and files ending in .json or .log or without an "
    "ending if their first line is a JSON object or array. A file named on its own is read unless it is a .csv."
)
CSV = re.compile(r"\.csv(\.(gz|zst))?$", re.IGNORECASE)
NO_WEBHOOKS = (
    "is a CSV file, not JSON lines, so it was not read. To describe studies or people, name the file in "
    "STUDYFLOW_STUDIES_FILE or STUDYFLOW_PEOPLE_FILE."
)
REMEDY = "Allow reading it, or remove it."
BEGINNING = 4 << 10


@dataclass(slots=True)
class Found:
    """Files to read, each once, by name; the names of those in their folders that are not read; and what went wrong.

    `in_vain`: paths that lead to no file at all.
    """

    sources: list[SourceFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    in_vain: list[SourceError] = field(default_factory=list)
    problems: list[SourceError] = field(default_factory=list)


def find(paths: Iterable[Path]) -> Found:
    """Every webhook file under the paths. Hard and symbolic links to one file count as one."""
    found = Found()
    files: set[Path] = set()
    for path in paths:
        problems, left_out = len(found.problems), len(found.left_out)
        files_of_path = set(_expand(path, found))
        if not files_of_path and len(found.problems) == problems:
            others = sorted(found.left_out[left_out:])
            problem = f"has no webhook files{f', but {named(others)} of other kinds' if others else ''}. {WHAT_IS_READ}"
            found.in_vain.append(SourceError(display_name(path), problem))
        files |= files_of_path
    by_inode: dict[tuple[int, int], SourceFile] = {}
    for path in sorted(files, key=os.fsencode):
        try:
            source = look_at(path)
        except OSError as error:
            found.problems.append(SourceError(display_name(path), f"cannot be read ({error.strerror}). {REMEDY}"))
            continue
        by_inode.setdefault((source.device, source.inode), source)
    found.sources = sorted(by_inode.values(), key=lambda source: source.name)
    read = {source.name for source in found.sources}
    found.left_out = sorted(set(found.left_out) - read)
    return found


def named(files: Sequence[str], most: int = 3) -> str:
    """How many files there are, and the first names."""
    first = ", ".join(os.path.basename(file) for file in files[:most])  # noqa: PTH119 - a name as it is shown
    return f"{len(files):,} {'file' if len(files) == 1 else 'files'} ({first}{', …' if len(files) > most else ''})"


def _expand(path: Path, found: Found) -> Iterator[Path]:
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above is closed to us
        yield from _walk(path, found)
    elif os.path.lexists(path):
        if CSV.search(path.name):
            found.problems.append(SourceError(display_name(path), NO_WEBHOOKS))
        else:
            yield path
    elif matches := glob.glob(str(path), recursive=True):  # noqa: PTH207 - Path.glob takes no absolute pattern
        for match in map(Path, matches):
            if CSV.search(match.name):
                found.left_out.append(display_name(match))
            else:
                yield from _expand(match, found)
    else:
        found.problems.append(SourceError(display_name(path), "no such file or folder, and no match. Check the path."))


def _walk(folder: Path, found: Found) -> Iterator[Path]:
    def note(error: OSError) -> None:
        problem = f"cannot be listed ({error.strerror}). {REMEDY}"
        found.problems.append(SourceError(display_name(Path(error.filename)), problem))

    for parent, _, names in os.walk(folder, onerror=note):
        for name in names:
            path = Path(parent, name)
            if WEBHOOKS.search(name) or (PERHAPS_WEBHOOKS.search(name) and _begins_with_document(path)):
                yield path
            elif not name.startswith(".") and Path(parent) != SAMPLE:  # what lies there came with studyflow
                found.left_out.append(display_name(path))


def _begins_with_document(path: Path) -> bool:
    """Whether the first line is a JSON object or array, as far as it can be seen."""
    try:
        with open_content(look_at(path)) as content:
            beginning = take(content, BEGINNING)
    except (OSError, EOFError, pa.ArrowException):
        return False
    line, newline, _ = beginning.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    goes_on = not newline and len(beginning) == BEGINNING
    return line[:1] in {b"{", b"["} and (goes_on or is_document(line))
