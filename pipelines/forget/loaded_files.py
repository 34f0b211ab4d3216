"""Where the raw files are now: those that were ever loaded, under the same name or another, and those that are named."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.errors import SourceError
from pipelines.load.finding import find
from pipelines.load.sources import display_name

# A content that a file had once and of which nothing is kept any more need not be there.
CONTENTS = """
select
    source_file,
    device,
    inode,
    disk_bytes,
    not is_superseded or lines > 0 as is_kept
from raw.files
order by source_file, file_id
"""

MAY_BE_RAW = re.compile(r"\.(jsonl|ndjson)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawFiles:
    """`loaded`: files that were loaded, wherever they lie now, or that were named. `missing`: the names of those that are gone.

    `beside`: files that lie beside them and are called alike, but were not loaded.
    """

    loaded: tuple[Path, ...]
    beside: tuple[Path, ...]
    missing: tuple[str, ...]
    problems: tuple[SourceError, ...]


def raw_files(connection: duckdb.DuckDBPyConnection, raw: Iterable[Path]) -> RawFiles:
    """The raw files as far as the warehouse and the caller know of them, by name and by inode."""
    found = find(raw)
    contents = connection.execute(CONTENTS).fetchall()
    names = {Path(name) for name, *_ in contents}
    inodes = {(device, inode) for _, device, inode, *_ in contents}
    there = {path: status for path in sorted({*names, *_alike(names)}) if (status := _status(path))}
    is_loaded = {path: path in names or (one.st_dev, one.st_ino) in inodes for path, one in there.items()}
    at_hand = {(one.st_dev, one.st_ino) for one in there.values()} | {(one.device, one.inode) for one in found.sources}
    sizes = {display_name(path): one.st_size for path, one in there.items()}
    missing = {
        name
        for name, device, inode, size, is_kept in contents
        if is_kept and (device, inode) not in at_hand and sizes.get(name) != size
    }
    return RawFiles(
        loaded=(*(path for path in there if is_loaded[path]), *(source.path for source in found.sources)),
        beside=tuple(path for path in there if not is_loaded[path]),
        missing=tuple(sorted(missing)),
        problems=tuple(found.problems),
    )


def _alike(names: Iterable[Path]) -> Iterator[Path]:
    """What lies in the folders of the files and is called as raw files are, before or after they are rotated."""
    starts: dict[Path, list[str]] = {}
    for path in names:
        starts.setdefault(path.parent, []).append(path.name)
    for folder, beginnings in starts.items():
        with suppress(OSError):
            for entry in os.scandir(folder):
                if MAY_BE_RAW.search(entry.name) or entry.name.startswith(tuple(beginnings)):
                    yield folder / entry.name


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat() if path.is_file() else None
    except OSError:
        return None
