"""Find the raw files: those that were ever loaded, under their old or a new name, and those that the user names."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.errors import SourceError
from pipelines.load.buckets import bucket_of
from pipelines.load.finding import find
from pipelines.load.objects import look_at_objects
from pipelines.load.sources import SourceFile, display_name
from pipelines.object_paths import ObjectPath, RawPath, object_path
from pipelines.plain import several

# A content of which no lines are loaded any more (not is_kept) may be missing.
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
    """`loaded`: files that were loaded, under their present name, or that the user named. `objects`: those in stores.

    `beside`: files in the same folders with similar names that were not loaded. `missing`: names of files that are
    gone.
    """

    loaded: tuple[Path, ...]
    beside: tuple[Path, ...]
    objects: tuple[SourceFile, ...]
    missing: tuple[str, ...]
    problems: tuple[SourceError, ...]


def raw_files(connection: duckdb.DuckDBPyConnection, raw: Iterable[RawPath]) -> RawFiles:
    """Find raw files by the names and inodes in the ledger, and under the paths that the user names."""
    found = find(raw)
    everything = connection.execute(CONTENTS).fetchall()
    contents = [row for row in everything if not object_path(row[0])]
    objects = {source.name: source for source in found.sources if isinstance(source.path, ObjectPath)}
    missing_objects = _look_for({name for name, *_, is_kept in everything if is_kept}, objects, found.problems)
    names = {Path(name) for name, *_ in contents}
    inodes = {(device, inode) for _, device, inode, *_ in contents}
    existing = {path: stat for path in sorted({*names, *_similar(names)}) if (stat := _stat(path))}
    is_loaded = {path: path in names or (stat.st_dev, stat.st_ino) in inodes for path, stat in existing.items()}
    found_inodes = {(stat.st_dev, stat.st_ino) for stat in existing.values()} | {
        (source.device, source.inode) for source in found.sources
    }
    sizes = {display_name(path): stat.st_size for path, stat in existing.items()}
    missing = {
        name
        for name, device, inode, size, is_kept in contents
        if is_kept and (device, inode) not in found_inodes and sizes.get(name) != size
    }
    return RawFiles(
        loaded=(
            *(path for path in existing if is_loaded[path]),
            *(source.path for source in found.sources if isinstance(source.path, Path)),
        ),
        beside=tuple(path for path in existing if not is_loaded[path]),
        objects=tuple(objects[name] for name in sorted(objects)),
        missing=tuple(sorted(missing | missing_objects)),
        problems=tuple(found.problems),
    )


def _look_for(names: set[str], objects: dict[str, SourceFile], problems: list[SourceError]) -> set[str]:
    """Add the objects with these names to `objects`, and errors to `problems`; return the names of missing objects."""
    by_bucket: dict[ObjectPath, list[ObjectPath]] = {}
    for address in filter(None, map(object_path, sorted(names - objects.keys()))):
        by_bucket.setdefault(address.at(""), []).append(address)
    missing: set[str] = set()
    for addresses in by_bucket.values():
        try:
            bucket_of(addresses[0]).find(addresses[0].key)
        except SourceError as problem:
            unsearched = f"{problem.problem} {several(len(addresses), 'object')} of this bucket could not be searched."
            problems.append(SourceError(problem.source_file, unsearched))
            continue
        for address, source in look_at_objects(addresses):
            if isinstance(source, SourceError):
                problems.append(source)
            elif source is None:
                missing.add(str(address))
            else:
                objects[str(address)] = source
    return missing


def _similar(names: Iterable[Path]) -> Iterator[Path]:
    """Files in the same folders that are named like raw files, or like these files after rotation."""
    starts: dict[Path, list[str]] = {}
    for path in names:
        starts.setdefault(path.parent, []).append(path.name)
    for folder, beginnings in starts.items():
        with suppress(OSError):
            for entry in os.scandir(folder):
                if MAY_BE_RAW.search(entry.name) or entry.name.startswith(tuple(beginnings)):
                    yield folder / entry.name


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat() if path.is_file() else None
    except OSError:
        return None
