"""Writes generated lines to files."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from pipelines.compression import Compression, compressed
from pipelines.generate.batches import Batch, batches
from pipelines.generate.deliveries import Line
from pipelines.generate.recipe import Recipe, Tally

MOST_FILES = 9_999
_ENDINGS: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_DOCUMENTS = (".jsonl", ".ndjson")


def generate(  # noqa: PLR0913 - independent options
    recipe: Recipe,
    out: Path,
    *,
    files: int = 1,
    compression: Compression = "none",
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Write the webhook lines of a recipe. The same recipe and version of zlib or zstd give the same bytes.

    If `out` ends in .jsonl or .ndjson (plus .gz or .zst), it is one file. Otherwise it is a folder that gets `files`
    files of about the same size, events-0001.jsonl and so on, in order of arrival. The files appear once all are
    complete. `progress` is called with the number of participants so far.

    Raises:
        ValueError: `files` or `compression` does not fit `out`.
        FileExistsError: such files exist, and `overwrite` is not set.
        OSError: a file cannot be written.
    """
    paths, compression = _targets(out, files, compression)
    old = _existing(out, paths)
    if old and not overwrite:
        msg = f"{old[0]} exists. Choose another place, or pass --overwrite to replace it."
        raise FileExistsError(msg)
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    parts = [path.with_name(f"{path.name}.part") for path in paths]
    tally = Tally()
    try:
        pieces = _split(batches(recipe, tally), files)
        for number, group in groupby(pieces, key=itemgetter(0)):
            with parts[number].open("wb") as raw, compressed(raw, compression) as writer:
                for _, lines in group:
                    writer.write(encoded(text for _, text in lines))
                    progress(tally.participants)
        for path in old:
            path.unlink()
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    tally.files = tuple(paths)
    return tally


def encoded(lines: Iterable[str], end: str = "\n") -> bytes:
    """Lines as bytes with line ends. They are encoded as Latin-1, so that damaged lines can have invalid UTF-8."""
    return "".join([line + end for line in lines]).encode("latin-1")


def _targets(out: Path, files: int, compression: Compression) -> tuple[list[Path], Compression]:
    """The files to write, and their compression."""
    if not 1 <= files <= MOST_FILES:
        msg = f"files is {files}: choose from 1 to {MOST_FILES}."
        raise ValueError(msg)
    for kind, ending in reversed(_ENDINGS.items()):
        if out.name.endswith(tuple(name + ending for name in _DOCUMENTS)):
            if files > 1:
                msg = f"{out} is one file: to get {files}, name a folder."
                raise ValueError(msg)
            if compression not in {"none", kind}:
                msg = f"{out} would not be {compression}: end the name in .jsonl{_ENDINGS[compression]}."
                raise ValueError(msg)
            return [out], kind
    if out.is_file():
        msg = f"{out} is a file: name a folder, or a file that ends in .jsonl, .jsonl.gz or .jsonl.zst."
        raise ValueError(msg)
    return [out / f"events-{n:04d}.jsonl{_ENDINGS[compression]}" for n in range(1, files + 1)], compression


def _existing(out: Path, paths: list[Path]) -> list[Path]:
    """The existing files to replace. In a folder these are all generated files, so that old and new never mix."""
    if paths == [out]:
        return [out] if out.exists() else []
    pattern = "events-[0-9][0-9][0-9][0-9].jsonl"
    return sorted(path for ending in _ENDINGS.values() for path in out.glob(pattern + ending))


def _split(batches: Iterable[Batch], files: int) -> Iterator[tuple[int, list[Line]]]:
    """Yield pieces of lines with the number of their file, from 0. Every file gets at least one piece, maybe empty."""
    number = written = 0
    for batch in batches:
        lines = batch.lines
        while number < files - 1 and written + len(lines) >= batch.expected * (number + 1) // files:
            room = max(0, batch.expected * (number + 1) // files - written)
            yield number, lines[:room]
            lines = lines[room:]
            written += room
            number += 1
        yield number, lines
        written += len(lines)
