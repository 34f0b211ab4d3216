"""New tables out of those of before: what is a study's is copied where it stayed the same, and made anew where not."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.export.copy import link
from pipelines.export.mart import STUDY
from pipelines.export.parts import Parts, Sizes
from pipelines.export.tables import CsvTable, Layout, Tables, opened


@dataclass(frozen=True, slots=True)
class Kept:
    """The studies of an earlier export whose lines are the same now; `place` counts them in the order of that export."""

    parts: Parts
    folder: Path
    bounds: np.ndarray
    place: dict[str, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: the rows by stage of each study, in order; the folder of each, if they have one; what is kept."""

    layout: Layout
    counts: dict[str, tuple[int, ...]]
    folders: dict[str, str]
    kept: Kept | None = None

    def needed(self) -> list[str] | None:
        """The studies whose rows are needed; None: all."""
        return [study for study in self.counts if study not in self.kept.place] if self.kept else None

    def same_files(self) -> list[str]:
        """The tables of all studies in which nothing changes."""
        if not self.kept:
            return []
        parts = self.kept.parts.studies
        gone = [part.bytes for study, part in parts.items() if study not in self.kept.place]
        come = [self.counts[study] for study in self.needed() or ()]
        changed = np.array([*gone, *come], np.int64).reshape(-1, len(self.layout.stages)).sum(axis=0).tolist()
        sums = zip(self.layout.tables(), [*changed, sum(changed)], strict=True)
        return [f"{table}.csv" for table, changes in sums if not changes]


def fill(new: Path, plan: Plan, batches: Iterable[pa.RecordBatch]) -> Sizes:
    """Write every table; the bytes of the studies whose rows were needed."""
    sizes = Sizes(plan.layout)
    same = plan.same_files()
    with opened(new, plan.layout, without=same) as everything, ExitStack() as stack:
        copies = _Copies(plan, everything, stack)
        for study, group in groupby(_by_study(batches, sizes, plan), key=itemgetter(0)):
            copies.up_to(study)
            if plan.folders:
                with opened(new / plan.folders[study], plan.layout) as tables:
                    for _, piece in group:
                        everything.write(piece)
                        tables.write(piece)
            else:
                for _, piece in group:
                    everything.write(piece)
        copies.up_to(None)
    if plan.kept:
        for name in same:
            link(plan.kept.folder / name, new / name)
        for study in plan.kept.place if plan.folders else ():
            before = plan.kept.folder / plan.kept.parts.studies[study].folder
            (new / plan.folders[study]).mkdir()
            for name in plan.layout.files():
                link(before / name, new / plan.folders[study] / name)
    return sizes


def _by_study(
    batches: Iterable[pa.RecordBatch], sizes: Sizes, plan: Plan
) -> Iterator[tuple[str | None, pa.RecordBatch]]:
    """The batches, cut where the study changes if something comes between the studies."""
    for batch in batches:
        sizes.add(batch)
        if not plan.folders and not plan.kept:
            yield None, batch
            continue
        runs = pc.run_end_encode(batch.column(STUDY))
        start = 0
        for study, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield study, batch.slice(start, end - start)
            start = end


class _Copies:
    """Copies what is kept, in the order of the studies. Neighbours in the export of before are copied together."""

    def __init__(self, plan: Plan, tables: Tables, stack: ExitStack) -> None:
        self.kept = plan.kept
        self.studies = iter(plan.counts)
        self.files: list[tuple[int, CsvTable, IO[bytes]]] = []
        for column, table in enumerate(plan.layout.tables()):
            target = tables.files.get(f"{table}.csv")
            if plan.kept and isinstance(target, CsvTable):
                source = stack.enter_context((plan.kept.folder / f"{table}.csv").open("rb"))
                self.files.append((column, target, source))

    def up_to(self, study: str | None) -> None:
        """Copy what comes before this study; None: all that is left."""
        if not self.kept:
            return
        first = last = 0
        for one in self.studies:
            if one == study:
                break
            place = self.kept.place[one]
            if place != last:
                self._copy(first, last)
                first = place
            last = place + 1
        self._copy(first, last)

    def _copy(self, first: int, last: int) -> None:
        if self.kept and first < last:
            for column, target, source in self.files:
                target.copy(source, int(self.kept.bounds[first, column]), int(self.kept.bounds[last, column]))
