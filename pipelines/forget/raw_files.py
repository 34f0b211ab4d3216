"""The raw files without a person's lines: whose a line is, is judged as a load does, and all others stay byte for byte."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.compression import compressed
from pipelines.errors import SourceError
from pipelines.forget.cutting import element_of, without
from pipelines.forget.known import Known
from pipelines.forget.replacing import draft_of, replacing
from pipelines.load.content import open_content
from pipelines.load.judge import judged_parts
from pipelines.load.lines import BLOCK
from pipelines.load.shapes import Place, Shape
from pipelines.load.sources import SourceFile, look_at
from pipelines.receive.files import is_being_written
from pipelines.reference import known_shapes


@dataclass(frozen=True, slots=True)
class Held:
    """A raw file in which a person is: how many lines are theirs, how many of others mention them, and what was done.

    Of a batch, each delivery counts as a line.
    """

    file: str
    lines: int
    mentions: int
    is_rewritten: bool = False
    was_loaded: bool = True
    is_object: bool = False

    @property
    def is_left(self) -> bool:
        """Whether something of them is still in it."""
        return bool(self.mentions) or not self.is_rewritten


def look_through(
    files: Iterable[Path], known: Known, problems: list[SourceError], *, rewrite: bool, were_loaded: bool = True
) -> Iterator[Held]:
    """Each file that has lines of the person or mentions them; without their lines, if it is to be rewritten.

    A file that cannot be read, or that changes meanwhile, stays as it is and is named among the problems.
    """
    shapes = known_shapes()
    for path, file in {Path(os.path.realpath(file)): file for file in files}.items():
        draft_of(path).unlink(missing_ok=True)
        try:
            held = _look_through(path, known, shapes, rewrite=rewrite, was_loaded=were_loaded)
        except SourceError as problem:
            problems.append(problem)
        except (OSError, EOFError, pa.ArrowException) as error:
            problems.append(SourceError(str(file), f"cannot be read or rewritten ({error})."))
        else:
            if held:
                yield held


def look_through_objects(objects: Iterable[SourceFile], known: Known, problems: list[SourceError]) -> Iterator[Held]:
    """Each object that has lines of the person or mentions them. Objects are never written."""
    shapes = known_shapes()
    for source in objects:
        try:
            _, lines, mentions = _count(source, known, shapes)
        except SourceError as problem:
            problems.append(problem)
        except (OSError, EOFError, pa.ArrowException) as error:
            problems.append(SourceError(source.name, f"cannot be read ({error})."))
        else:
            if lines or mentions:
                yield Held(source.name, lines, mentions, is_object=True)


def _look_through(path: Path, known: Known, shapes: Sequence[Shape], *, rewrite: bool, was_loaded: bool) -> Held | None:
    source = look_at(path)
    changed, lines, mentions = _count(source, known, shapes)
    if rewrite and changed:
        _rewrite(path, source, changed)
    held = Held(source.name, lines, mentions, rewrite and bool(changed), was_loaded)
    return held if lines or mentions else None


def _count(source: SourceFile, known: Known, shapes: Sequence[Shape]) -> tuple[dict[int, list[Place]], int, int]:
    """The numbers of lines with deliveries of theirs, and where in them; how many of these there are; lines that mention them."""
    changed: dict[int, list[Place]] = {}
    lines = mentions = 0
    for number, line in known.in_lines.filter_lines(enumerate(lines_of(source), start=1)):
        theirs = list(_theirs(line, known, shapes))
        left = without(line, theirs)
        lines += len(theirs)
        mentions += left is not None and (not theirs or known.in_lines.occur_in(left))
        if theirs:
            changed[number] = theirs
    return changed, lines, mentions


def _theirs(line: bytes, known: Known, shapes: Sequence[Shape]) -> Iterator[Place]:
    """Where in a line that names them their deliveries are: at () if it is one."""
    for part, found in judged_parts(line, shapes):
        is_batch = found.position > 0
        person, participant = found.person_id, found.participant_id
        if person is None or participant is None:  # no delivery: theirs if it names them
            is_theirs = not is_batch or known.in_lines.occur_in(found.text or b"")
        else:
            is_theirs = known.hashes.include(person, participant)
        if is_theirs:
            yield element_of(part.place) if is_batch else ()


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


def _rewrite(path: Path, source: SourceFile, changed: Mapping[int, Collection[Place]]) -> None:
    """Write a file without these lines, or of batches without these deliveries in them."""
    if is_being_written(path.parent):
        msg = "a receiver writes to this folder, so the file was left as it is. Stop the receiver, then try again."
        raise SourceError(source.name, msg)
    with replacing(path) as new:
        with compressed(new, source.compression) as target:
            for number, line in enumerate(lines_of(source), start=1):
                target.write(without(line, changed.get(number, ())) or b"")
        if look_at(path) != source:
            msg = (
                "changed while it was being rewritten, so it was left as it is. Stop what writes to it, then try again."
            )
            raise SourceError(source.name, msg)
