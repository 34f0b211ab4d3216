"""What was found to read, and by which names and beginnings files are taken for webhook files."""

import re
from dataclasses import dataclass, field

from pipelines.errors import SourceError
from pipelines.load.judge import BYTE_ORDER_MARK, is_document
from pipelines.load.sources import SourceFile

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
BEGINNING = 4 << 10
"""How many bytes of content are looked at."""


@dataclass(slots=True)
class Found:
    """Files to read, each once, by name; the names of those in their folders that are not read; and what went wrong.

    `in_vain`: paths that lead to no file at all. `objects`: addresses of all objects that were seen; all there are that begin
    with one of `scopes`.
    """

    sources: list[SourceFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    in_vain: list[SourceError] = field(default_factory=list)
    problems: list[SourceError] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    scopes: list[str] = field(default_factory=list)


def begins_with_document(beginning: bytes) -> bool:
    """Whether the first line is a JSON object or array, as far as it can be seen in so many bytes."""
    line, newline, _ = beginning.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    goes_on = not newline and len(beginning) == BEGINNING
    return line[:1] in {b"{", b"["} and (goes_on or is_document(line))
