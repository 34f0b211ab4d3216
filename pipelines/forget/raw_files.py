"""The raw files without a person's lines: those are found as a load finds them, and all others stay byte for byte."""

import gzip
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.forget.known import Known
from pipelines.load.lines import BLOCK, SCHEMA, open_content
from pipelines.load.parsing import FIRST_LOOK, PARSE, SECOND_LOOK, read_again
from pipelines.load.sources import SourceFile, look_at
from pipelines.system import flush_one
from pipelines.warehouse import connect

LINES_AT_ONCE = 20_000
TEXT = "coalesce(try(decode(raw)), readable(raw))"
IS_NAMED = f"(mentions_forgotten({TEXT}) or regexp_matches({TEXT}, $pattern))"

# is_theirs: null where that cannot be told before a strict parser has looked at the line
JUDGED = f"""
select
    line_number,
    case
        when is_contested and $may_contest then null
        when participant_id is not null then is_forgotten_person(person_id) or is_forgotten_participant(participant_id)
        else {IS_NAMED}
    end as is_theirs,
    if(is_contested and $may_contest, raw, null) as raw
from parsed_lines
where
    not is_blank
    and (
        case
            when participant_id is null or is_contested or not is_said_by_columns then {IS_NAMED}
            else false
        end
        or is_forgotten_person(person_id)
        or is_forgotten_participant(participant_id)
    )
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Held:
    """A raw file in which a person is: how many lines are theirs, how many of others mention them, and what was done."""

    file: str
    lines: int
    mentions: int
    is_rewritten: bool = False


def known_files(connection: duckdb.DuckDBPyConnection) -> list[Path]:
    """The files that were ever loaded, under the names that they had then."""
    names = connection.execute("select distinct source_file from raw.files order by source_file").fetchall()
    return [Path(name) for (name,) in names]


def look_through(files: Iterable[Path], known: Known, problems: list[SourceError], *, rewrite: bool) -> Iterator[Held]:
    """Each file that has lines of the person or mentions them; without their lines, if it is to be rewritten.

    A file that cannot be read, or that changes meanwhile, stays as it is and is named among the problems.
    """
    done: set[Path] = set()
    for file in files:
        path = Path(os.path.realpath(file))
        if path in done:
            continue
        done.add(path)
        _temporary(path).unlink(missing_ok=True)
        try:
            held = _look_through(path, known, rewrite=rewrite)
        except SourceError as problem:
            problems.append(problem)
        except (OSError, EOFError, pa.ArrowException) as error:
            problems.append(SourceError(str(file), f"cannot be read or rewritten ({error})."))
        else:
            if held:
                yield held


def _look_through(path: Path, known: Known, *, rewrite: bool) -> Held | None:
    source = look_at(path)
    theirs, mentions = _judge(source, known)
    if not theirs and not mentions:
        return None
    if rewrite and theirs:
        _rewrite(source, theirs)
    return Held(source.name, len(theirs), mentions, is_rewritten=rewrite and bool(theirs))


def _judge(source: SourceFile, known: Known) -> tuple[set[int], int]:
    """The numbers of the lines that are theirs, and how many others mention them."""
    with connect(Path(":memory:")) as connection:
        known.hashes.tell(connection)
        values: dict[str, Any] = {"pattern": known.ids.pattern, "may_contest": True}
        arriving = pa.RecordBatchReader.from_batches(SCHEMA, _batches(source))
        connection.register("arriving", arriving)
        connection.execute(FIRST_LOOK)
        connection.execute(PARSE)
        found = connection.execute(JUDGED, values).fetchall()
        doubtful = [(number, raw) for number, is_theirs, raw in found if is_theirs is None]
        certain = [(number, is_theirs) for number, is_theirs, _ in found if is_theirs is not None]
        if doubtful:
            connection.register("again", read_again(pa.Table.from_batches([_batch(doubtful)])))
            connection.execute(SECOND_LOOK)
            connection.execute(PARSE)
            certain += [row[:2] for row in connection.execute(JUDGED, values | {"may_contest": False}).fetchall()]
    theirs = {number for number, is_theirs in certain if is_theirs}
    return theirs, len(certain) - len(theirs)


def _batches(source: SourceFile) -> Iterator[pa.RecordBatch]:
    numbered = enumerate(lines_of(source), start=1)
    while some := list(islice(numbered, LINES_AT_ONCE)):
        yield _batch(some)


def _batch(lines: list[tuple[int, bytes]]) -> pa.RecordBatch:
    numbers, raw = zip(*lines, strict=True)
    return pa.record_batch(
        [pa.array([0] * len(lines), pa.int32()), pa.array(numbers, pa.int64()), pa.array(raw, pa.large_binary())],
        schema=SCHEMA,
    )


def lines_of(source: SourceFile) -> Iterator[bytes]:
    """Every line with its newline, the last also without one."""
    rest: list[bytes] = []
    with open_content(source) as content:
        while block := content.read(BLOCK):
            *whole, last = block.split(b"\n")
            for line in whole:
                yield b"".join([*rest, line, b"\n"])
                rest = []
            rest.append(last)
    if last := b"".join(rest):
        yield last


def _rewrite(source: SourceFile, without: set[int]) -> None:
    if source.path.stat().st_nlink > 1:
        msg = "has other names (hard links), under which it would stay as it is. Remove those, then try again."
        raise SourceError(source.name, msg)
    new = _temporary(source.path)
    try:
        with new.open("xb") as file, packed(file, source.compression) as target:
            for number, line in enumerate(lines_of(source), start=1):
                if number not in without:
                    target.write(line)
        shutil.copymode(source.path, new)
        with suppress(OSError):
            status = source.path.stat()
            os.chown(new, status.st_uid, status.st_gid)
        flush_one(new)
        if look_at(source.path) != source:
            msg = "changed while it was rewritten, so it stays as it is. Stop what writes to it, then try again."
            raise SourceError(source.name, msg)
        new.replace(source.path)
        flush_one(source.path.parent)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def packed(file: IO[bytes], compression: str) -> Iterator[Any]:
    """What to write content to, so that the file holds it packed as it was."""
    if compression == "gzip":
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as target:
            yield target
    elif compression == "zstd":
        with pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd") as target:
            yield target
    else:
        yield file


def _temporary(path: Path) -> Path:
    """Beside it, under a name that no load reads and that what was killed leaves for the next to clear."""
    return path.with_name(f".{path.name}.studyflow-forget")
