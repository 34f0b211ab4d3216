"""The result of looking for webhook files, and the rules by which a file counts as one: its name and its first line."""

import re
from dataclasses import dataclass, field

from pipelines.errors import SourceError
from pipelines.load.judge import BYTE_ORDER_MARK, is_document
from pipelines.load.sources import SourceFile

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


def begins_with_document(beginning: bytes) -> bool:
    """Whether the first line is a JSON object or array. If the line is longer, only its first character counts."""
    line, newline, _ = beginning.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    goes_on = not newline and len(beginning) == BEGINNING
    return line[:1] in {b"{", b"["} and (goes_on or is_document(line))
