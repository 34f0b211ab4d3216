"""Makes the lines of a recipe in batches, in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from pipelines.generate.deliveries import Deliveries, Line
from pipelines.generate.journeys import journey
from pipelines.generate.people import IdSource, People
from pipelines.generate.recipe import Recipe, Tally
from pipelines.generate.studies import RECRUITING, Study, make_studies, recruited_at

PENDING = 100_000
"""If more lines than this are waiting, the earlier half goes out as a batch."""
LARGEST_GROUP = 60
IMPORTED = 0.15
"""The share of groups that are followed by an event about a finished import."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines in order of arrival, and the expected number of lines in all batches, which is exact in the last one."""

    lines: list[Line]
    expected: int


def batches(recipe: Recipe, tally: Tally) -> Iterator[Batch]:
    """Make the lines of a recipe and count them in `tally`.

    The lines of each participant are in order of arrival. All lines are in this order as long as no more than `PENDING`
    are waiting. Beyond that, a participant who is added later may have earlier lines.
    """
    random = Random(recipe.seed)
    ids = IdSource(random)
    studies = make_studies(recipe, ids)
    people = People(ids, random)
    deliveries = Deliveries(recipe, ids, random, tally)
    pending = deliveries.pending

    for added, study, size in _groups(recipe, studies, random.random):
        for _ in range(size):
            changes = journey(study.start, added, recipe, study.edit, random.random)
            person = people.choose(study.number, added)
            deliveries.deliver(ids.make(added), person, study.study_id, changes)
        if random.random() < IMPORTED:
            deliveries.finish_import(added)
        tally.participants += size
        if len(pending) > PENDING:
            share = tally.participants / recipe.participants
            expected = int((tally.lines + len(pending)) / share)
            pending.sort()
            lines = pending[: PENDING // 2]
            del pending[: PENDING // 2]
            tally.lines += len(lines)
            yield Batch(lines, expected)
    pending.sort()
    tally.lines += len(pending)
    yield Batch(pending, tally.lines)


def _groups(recipe: Recipe, studies: list[Study], random: Callable[[], float]) -> Iterator[tuple[int, Study, int]]:
    """Yield groups of participants who are added together: the time, the study and the size of the group.

    The first group after a study opens goes into that study.
    """
    largest = max(1, min(LARGEST_GROUP, recipe.participants // (4 * recipe.studies)))
    added = opened = oldest = 0
    while added < recipe.participants:
        share = added / recipe.participants
        if opened < len(studies) and studies[opened].opens <= share:
            study = studies[opened]
            opened += 1
        else:
            while studies[oldest].opens < share - RECRUITING and oldest < opened - 1:
                oldest += 1
            study = studies[oldest + int(random() * (opened - oldest))]
        size = min(1 + int(random() * largest), recipe.participants - added)
        yield recruited_at(share, recipe), study, size
        added += size
