"""Write the export: a table of all participants, one per stage, the lists to work from, and a workbook if requested."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.export import mart
from pipelines.export.cells import header
from pipelines.export.destination import check_destination, explain_errors
from pipelines.export.lists import LISTS, lists
from pipelines.export.mart import STUDY
from pipelines.export.names import distinct_names
from pipelines.export.options import Format
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.replace import MANIFEST, is_up_to_date, replacement, workspace
from pipelines.export.tables import ALL_PARTICIPANTS, Layout, stage_writer
from pipelines.state import build_hash, is_sample

WRITERS = ("duckdb", "pyarrow", "xlsxwriter")
"""Packages whose version can change the bytes of an export."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The number of rows of each exported file, in a fixed order.

    `wrote` is "nothing" if the folder already had the export of this build with the same options and unchanged files.
    """

    folder: Path
    rows: dict[Path, int]
    wrote: Literal["all", "nothing"] = "all"

    @property
    def files(self) -> list[Path]:
        """The files, except the manifest."""
        return list(self.rows)


def export(  # noqa: PLR0913 - the options of a command
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    formats: tuple[Format, ...] = ("csv",),
    by_study: bool = False,
    pseudonyms: Pseudonyms | None = None,
    for_excel: bool = False,
) -> ExportResult:
    """Replace the export in a folder by one of the present marts. If anything fails, the old export is unchanged.

    The folder gets a table of each stage, one of all participants and the lists to work from; with `by_study`, also a
    folder with the same tables for each study; with the format ``xlsx``, one workbook of all marts. The same marts give
    the same bytes. Other files in the folder are kept. `pseudonyms` replace the ids of participants and people; rows
    are then sorted by pseudonym. `for_excel`: write CSV files so that spreadsheets recognise times and amounts.

    Raises:
        StudyflowError: the marts have not been built, or the folder cannot be written or replaced.
    """
    columns = mart.columns(connection)
    stages = mart.stages(connection)
    stage_files = distinct_names(stages.values(), taken=[ALL_PARTICIPANTS, *LISTS])
    layout = Layout(
        stages={stage: stage_files[name] for stage, name in stages.items()},
        formats=tuple(one for one in formats if one != "xlsx"),
        header=header(connection, columns, for_excel=for_excel),
        schema=mart.schema(connection, columns),
    )
    counts = mart.counts(connection, stages)
    taken = [*layout.files(), *(f"{one}.{ending}" for one in LISTS for ending in layout.formats), MANIFEST]
    folders = distinct_names(counts, taken=taken) if by_study else {}
    book = None
    if "xlsx" in formats:
        from pipelines.export.workbook import plan  # noqa: PLC0415 - most exports have none

        book = plan(connection, columns, layout.stages, counts, pseudonyms)
    found = lists(connection)
    of_lists = {f"{one.name}.{ending}": one.rows for one in found for ending in layout.formats}
    rows = _rows(layout, counts, folders) | of_lists | (book.files if book else {})
    options = {
        "formats": list(formats),
        "by_study": by_study,
        "pseudonyms": pseudonyms.fingerprint if pseudonyms else None,
        "for_excel": for_excel,
        "participants": sum(map(sum, counts.values())),
        "is_sample": is_sample(connection),
    }
    build = build_hash(connection)
    # Another version of this code, or of the packages that write, may produce other bytes.
    sources = [file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))]
    inputs = repr((build, options, layout, found, [version(package) for package in WRITERS], sources))
    content = hashlib.sha256(inputs.encode()).hexdigest() if build else None
    databases = connection.execute("select path from duckdb_databases() where path is not null").fetchall()
    with (
        explain_errors(folder),
        workspace(destination := check_destination(folder, [Path(path) for (path,) in databases])) as space,
    ):
        result = {folder / name: count for name, count in rows.items()}
        if content and is_up_to_date(destination, content, rows):
            return ExportResult(folder, result, "nothing")
        with (
            replacement(space, destination, rows, options, content) as new,
            closing(
                mart.batches(connection, columns, pseudonyms, with_values="parquet" in formats, for_excel=for_excel)
            ) as batches,
        ):
            _write(new, layout, folders, batches)
            for one in found:
                one.write(connection, new, layout.formats, pseudonyms, for_excel=for_excel)
            if book:
                book.write(new)
    return ExportResult(folder, result)


def _rows(layout: Layout, counts: dict[str, tuple[int, ...]], folders: dict[str, str]) -> dict[str, int]:
    """The number of rows of each table's file, by its relative path."""
    stages = [sum(rows) for rows in zip(*counts.values(), strict=True)] or [0] * len(layout.stages)
    inside = {"": stages} | {f"{name}/": list(counts[study]) for study, name in folders.items()}
    return {
        f"{start}{table}.{ending}": rows
        for start, by_stage in inside.items()
        for table, rows in zip(layout.tables(), [*by_stage, sum(by_stage)], strict=True)
        for ending in layout.formats
    }


def _write(new: Path, layout: Layout, folders: dict[str, str], batches: Iterable[pa.RecordBatch]) -> None:
    """Write the tables of stages and of all participants. Batches are sorted by study."""
    with stage_writer(new, layout) as write, ExitStack() as stack:
        written: str | None = None
        write_of_study = write
        for batch in batches:
            write(batch)
            for study, piece in _by_study(batch) if folders else ():
                if study != written:
                    stack.close()
                    write_of_study, written = stack.enter_context(stage_writer(new / folders[study], layout)), study
                write_of_study(piece)


def _by_study(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batch, split by study."""
    runs = pc.run_end_encode(batch.column(STUDY))
    start = 0
    for study, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield study, batch.slice(start, end - start)
        start = end
