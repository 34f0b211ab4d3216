"""The raw files without a person's lines: whose a line is, is judged as a load does, and all others stay byte for byte."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.forget.known import Known
from pipelines.forget.replacing import draft_of, replacing
from pipelines.load.content import open_content
from pipelines.load.judge import judge
from pipelines.load.lines import BLOCK
from pipelines.load.sources import SourceFile, look_at
from pipelines.packed import packed
from pipelines.receive.files import is_being_written


@dataclass(frozen=True, slots=True)
class Held:
    """A raw file in which a person is: how many lines are theirs, how many of others mention them, and what was done."""

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
    for path, file in {Path(os.path.realpath(file)): file for file in files}.items():
        draft_of(path).unlink(missing_ok=True)
        try:
            held = _look_through(path, known, rewrite=rewrite, was_loaded=were_loaded)
        except SourceError as problem:
            problems.append(problem)
        except (OSError, EOFError, pa.ArrowException) as error:
            problems.append(SourceError(str(file), f"cannot be read or rewritten ({error})."))
        else:
            if held:
                yield held


def look_through_objects(objects: Iterable[SourceFile], known: Known, problems: list[SourceError]) -> Iterator[Held]:
    """Each object that has lines of the person or mentions them. Objects are never written."""
    for source in objects:
        try:
            theirs, mentions = _count(source, known)
        except SourceError as problem:
            problems.append(problem)
        except (OSError, EOFError, pa.ArrowException) as error:
            problems.append(SourceError(source.name, f"cannot be read ({error})."))
        else:
            if theirs or mentions:
                yield Held(source.name, len(theirs), mentions, is_object=True)


def _look_through(path: Path, known: Known, *, rewrite: bool, was_loaded: bool) -> Held | None:
    source = look_at(path)
    theirs, mentions = _count(source, known)
    if rewrite and theirs:
        _rewrite(path, source, theirs)
    held = Held(source.name, len(theirs), mentions, rewrite and bool(theirs), was_loaded)
    return held if theirs or mentions else None


def _count(source: SourceFile, known: Known) -> tuple[set[int], int]:
    """The numbers of the lines that are theirs, and how many of others mention them."""
    theirs, mentions = set(), 0
    for number, line in known.in_lines.among(enumerate(lines_of(source), start=1)):
        found = judge(line)
        person, participant = found.person_id, found.participant_id
        if person is None or participant is None or known.hashes.have(person, participant):  # no delivery: theirs
            theirs.add(number)
        else:
            mentions += 1
    return theirs, mentions


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


def _rewrite(path: Path, source: SourceFile, without: set[int]) -> None:
    if is_being_written(path.parent):
        msg = "a receiver writes to this folder, so the file was left as it is. Stop the receiver, then try again."
        raise SourceError(source.name, msg)
    with replacing(path) as new:
        with packed(new, source.compression) as target:
            for number, line in enumerate(lines_of(source), start=1):
                if number not in without:
                    target.write(line)
        if look_at(path) != source:
            msg = (
                "changed while it was being rewritten, so it was left as it is. Stop what writes to it, then try again."
            )
            raise SourceError(source.name, msg)
