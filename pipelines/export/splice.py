"""New tables out of those of before: what is a study's is copied where it stayed the same, and made anew where not."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext
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

    def groups(self) -> dict[str, str]:
        """Which studies can be written at once, as nothing comes between them: the first of each one's group."""
        groups: dict[str, str] = {}
        first: str | None = None
        for study in self.counts:
            if self.kept and study in self.kept.place:
                first = None
            else:
                first = first if first is not None and not self.folders else study
                groups[study] = first
        return groups

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
        for study, group in groupby(_pieces(batches, sizes, plan.groups()), key=itemgetter(0)):
            copies.up_to(study)
            with opened(new / plan.folders[study], plan.layout) if plan.folders else nullcontext() as tables:
                for _, piece in group:
                    everything.write(piece)
                    if tables:
                        tables.write(piece)
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


def _pieces(
    batches: Iterable[pa.RecordBatch], sizes: Sizes, groups: dict[str, str]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batches, cut where the group of the study changes."""
    for batch in batches:
        sizes.add(batch)
        runs = pc.run_end_encode(batch.column(STUDY))
        group_of = map(groups.__getitem__, runs.values.to_pylist())
        start = 0
        for group, its_runs in groupby(zip(group_of, runs.run_ends.to_pylist(), strict=True), key=itemgetter(0)):
            *_, (_, end) = its_runs
            yield group, batch.slice(start, end - start)
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
            place = self.kept.place.get(one)
            if place is None:
                continue
            if place != last:
                self._copy(first, last)
                first = place
            last = place + 1
        self._copy(first, last)

    def _copy(self, first: int, last: int) -> None:
        if self.kept and first < last:
            for column, target, source in self.files:
                target.copy(source, int(self.kept.bounds[first, column]), int(self.kept.bounds[last, column]))
