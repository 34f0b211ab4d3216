"""`marts.participants` as files: one ordered pass over it fills every table of every folder."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import StudyflowError
from pipelines.export import mart
from pipelines.export.cells import header
from pipelines.export.names import distinct_names
from pipelines.export.place import explained, usable
from pipelines.export.replace import MANIFEST, replaced
from pipelines.export.tables import EVERYONE, Format, Layout, Tables, opened


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote: the rows of each file, in a fixed order."""

    folder: Path
    rows: dict[Path, int]

    @property
    def files(self) -> list[Path]:
        """The files, the manifest left out."""
        return list(self.rows)


def export(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    formats: tuple[Format, ...] = ("csv",),
    by_study: bool = False,
) -> Exported:
    """Replace the export in a folder by one of the marts as they are now: all of it, or nothing on any failure.

    The folder gets a table of each stage and one of all participants; with `by_study` also a folder for each study
    with the same. The same marts give the same bytes. Files of others in the folder stay.

    Raises:
        StudyflowError: the marts are not there, or the folder cannot be written or replaced.
    """
    columns = mart.columns(connection)
    stages = mart.stages(connection)
    stage_files = distinct_names(stages.values(), taken=[EVERYONE])
    layout = Layout(
        stages={stage: stage_files[name] for stage, name in stages.items()},
        formats=formats,
        header=header(connection, columns),
        schema=mart.schema(connection, columns),
    )
    studies = distinct_names(mart.studies(connection), taken=[*layout.files(), MANIFEST]) if by_study else {}
    inside = ["", *(f"{name}/" for name in studies.values())]
    names = [f"{start}{file}" for start in inside for file in layout.files()]
    databases = connection.execute("select path from duckdb_databases() where path is not null").fetchall()
    with (
        explained(folder),
        closing(mart.batches(connection, columns, with_values="parquet" in formats)) as batches,
        replaced(usable(folder, [Path.cwd(), *(Path(path) for (path,) in databases)]), names) as new,
    ):
        rows = _fill(new, layout, studies, batches)
    return Exported(folder, {folder / name: rows[name] for name in names})


def _fill(folder: Path, layout: Layout, studies: dict[str, str], batches: Iterator[pa.RecordBatch]) -> dict[str, int]:
    """Write every table in one pass; the rows of each file by its relative path."""
    rows: dict[str, int] = {}
    with opened(folder, layout) as everything:

        def pieces() -> Iterator[tuple[str, pa.RecordBatch]]:
            for batch in batches:
                everything.write(batch)
                if studies:
                    yield from _by_study(batch)

        for study, group in groupby(pieces(), key=itemgetter(0)):
            with opened(folder / studies[study], layout) as tables:
                for _, piece in group:
                    tables.write(piece)
            rows.update((f"{studies[study]}/{name}", count) for name, count in tables.rows.items())
    _nobody_is_missing(everything)
    return everything.rows | rows


def _by_study(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batch cut where the study changes."""
    runs = pc.run_end_encode(batch.column(mart.STUDY))
    start = 0
    for study, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield study, batch.slice(start, end - start)
        start = end


def _nobody_is_missing(tables: Tables) -> None:
    """Each participant is in the table of a stage.

    Raises:
        StudyflowError: a stage was taken from the reference table after the marts were made.
    """
    for ending in tables.layout.formats:
        in_stages = sum(tables.rows[f"{name}.{ending}"] for name in tables.layout.stages.values())
        missing = tables.rows[f"{EVERYONE}.{ending}"] - in_stages
        if missing:
            msg = f"{missing} participants are in a stage that reference.stages lacks. Make the marts again: studyflow run"
            raise StudyflowError(msg)
