"""Count or remove a person's lines in raw files. Lines are judged as in a load. The bytes of other lines are kept."""

import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.compression import compressed
from pipelines.errors import SourceError
from pipelines.forget.file_replacement import draft_of, replacing
from pipelines.forget.known_person import KnownPerson
from pipelines.forget.line_edits import element_of, remove_deliveries
from pipelines.load.content import open_content
from pipelines.load.judge import judged_parts
from pipelines.load.lines import BLOCK
from pipelines.load.shapes import Place, Shape
from pipelines.load.sources import SourceFile, look_at
from pipelines.receive.files import is_being_written
from pipelines.reference import known_shapes


@dataclass(frozen=True, slots=True)
class RawFileMatch:
    """A raw file that mentions a person: how many lines are theirs, how many lines of others name them, what was done.

    Each delivery in a batch counts as a line.
    """

    file: str
    lines: int
    mentions: int
    is_rewritten: bool = False
    was_loaded: bool = True
    is_object: bool = False

    @property
    def is_left(self) -> bool:
        """Whether the file still mentions the person."""
        return bool(self.mentions) or not self.is_rewritten


def look_through(
    files: Iterable[Path], known: KnownPerson, problems: list[SourceError], *, rewrite: bool, were_loaded: bool = True
) -> Iterator[RawFileMatch]:
    """Each file that has lines of the person or mentions them. If `rewrite`, their lines are removed.

    A file that cannot be read, or that changes while it is rewritten, is left unchanged and added to `problems`.
    """
    shapes = known_shapes()
    for path, file in {Path(os.path.realpath(file)): file for file in files}.items():
        draft_of(path).unlink(missing_ok=True)
        with _noting_problems(str(file), "read or rewritten", problems):
            source = look_at(path)
            changed, lines, mentions = _count(source, known, shapes)
            if rewrite and changed:
                _rewrite(path, source, changed)
            if lines or mentions:
                yield RawFileMatch(source.name, lines, mentions, rewrite and bool(changed), were_loaded)


def look_through_objects(
    objects: Iterable[SourceFile], known: KnownPerson, problems: list[SourceError]
) -> Iterator[RawFileMatch]:
    """Each object that has lines of the person or mentions them. Objects are never rewritten."""
    shapes = known_shapes()
    for source in objects:
        with _noting_problems(source.name, "read", problems):
            _, lines, mentions = _count(source, known, shapes)
            if lines or mentions:
                yield RawFileMatch(source.name, lines, mentions, is_object=True)


@contextmanager
def _noting_problems(name: str, what: str, problems: list[SourceError]) -> Iterator[None]:
    """Add an error of the block to `problems`: this file or object cannot be read, or rewritten."""
    try:
        yield
    except SourceError as problem:
        problems.append(problem)
    except (OSError, EOFError, pa.ArrowException) as error:
        problems.append(SourceError(name, f"cannot be {what} ({error})."))


def _count(source: SourceFile, known: KnownPerson, shapes: Sequence[Shape]) -> tuple[dict[int, list[Place]], int, int]:
    """Count the person in a file.

    Returns the places of their deliveries by line number, the number of these deliveries, and the number of other lines
    that mention them.
    """
    changed: dict[int, list[Place]] = {}
    lines = mentions = 0
    for number, line in known.id_terms.filter_lines(enumerate(lines_of(source), start=1)):
        places = list(_places_of_person(line, known, shapes))
        rest = remove_deliveries(line, places)
        lines += len(places)
        mentions += rest is not None and (not places or known.id_terms.occur_in(rest))
        if places:
            changed[number] = places
    return changed, lines, mentions


def _places_of_person(line: bytes, known: KnownPerson, shapes: Sequence[Shape]) -> Iterator[Place]:
    """The places of their deliveries in a line that names them; `()` if the line is a single delivery."""
    for part, found in judged_parts(line, shapes):
        is_batch = found.position > 0
        person, participant = found.person_id, found.participant_id
        if person is None or participant is None:  # not an accepted delivery: about them if it names them
            is_about_person = not is_batch or known.id_terms.occur_in(found.text or b"")
        else:
            is_about_person = known.hashes.include(person, participant)
        if is_about_person:
            yield element_of(part.place) if is_batch else ()


def lines_of(source: SourceFile) -> Iterator[bytes]:
    """Every line with its newline. The last line may have none."""
    with io.BufferedReader(open_content(source), BLOCK) as content:
        yield from content


def _rewrite(path: Path, source: SourceFile, changed: Mapping[int, Collection[Place]]) -> None:
    """Rewrite a file without the deliveries at these places, by line number."""
    if is_being_written(path.parent):
        msg = "a receiver writes to this folder, so the file was left as it is. Stop the receiver, then try again."
        raise SourceError(source.name, msg)
    with replacing(path) as new:
        with compressed(new, source.compression) as target:
            for number, line in enumerate(lines_of(source), start=1):
                target.write(remove_deliveries(line, changed.get(number, ())) or b"")
        if look_at(path) != source:
            msg = (
                "changed while it was being rewritten, so it was left as it is. Stop what writes to it, then try again."
            )
            raise SourceError(source.name, msg)
