"""Write the export: a table of all participants, one per stage, the lists to work from, and a workbook if requested."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
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
from pipelines.export.options import ExportOptions
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


def export(
    connection: duckdb.DuckDBPyConnection, folder: Path, options: ExportOptions = ExportOptions()
) -> ExportResult:
    """Replace the export in a folder by one of the present marts. If anything fails, the old export is unchanged.

    The folder gets a table of each stage, one of all participants and the lists to work from; if requested, also a
    folder with the same tables for each study, and one workbook of all marts. The same marts give the same bytes. Other
    files in the folder are kept.

    Raises:
        StudyflowError: the marts have not been built, or the folder cannot be written or replaced.
    """
    participants = mart.participants(connection, options.pseudonyms)
    stages = mart.stages(connection)
    stage_files = distinct_names(stages.values(), taken=[ALL_PARTICIPANTS, *LISTS])
    layout = Layout(
        stages={stage: stage_files[name] for stage, name in stages.items()},
        endings=options.endings,
        header=header(connection, participants.columns, for_excel=options.excel),
    )
    counts = mart.counts(connection, stages)
    by_stage = [sum(rows) for rows in zip(*counts.values(), strict=True)] or [0] * len(stages)
    taken = [*layout.files(), *(f"{one}.{ending}" for one in LISTS for ending in options.endings), MANIFEST]
    folders = distinct_names(counts, taken=taken) if options.by_study else {}
    book = None
    if options.workbook:
        from pipelines.export.workbook import plan  # noqa: PLC0415 - most exports have none

        book = plan(connection, participants, layout.stages, by_stage, options.pseudonyms)
    found = lists(connection, options.pseudonyms)
    of_lists = {f"{one.name}.{ending}": one.rows for one in found for ending in options.endings}
    of_stages = _rows(layout, {"": by_stage} | {f"{name}/": counts[study] for study, name in folders.items()})
    rows = of_stages | of_lists | (book.files if book else {})
    made = {
        "formats": [*options.endings, *(["xlsx"] if options.workbook else [])],
        "by_study": options.by_study,
        "pseudonyms": options.pseudonyms.fingerprint if options.pseudonyms else None,
        "for_excel": options.excel,
        "participants": sum(by_stage),
        "is_sample": is_sample(connection),
    }
    build = build_hash(connection)
    # Another version of this code, or of the packages that write, may produce other bytes.
    sources = [file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))]
    inputs = repr((build, made, layout, participants, found, [version(package) for package in WRITERS], sources))
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
            replacement(space, destination, rows, made, content) as new,
            options.pseudonyms.registered(connection) if options.pseudonyms else nullcontext(),
        ):
            with closing(mart.batches(connection, participants, options)) as batches:
                _write(new, layout, folders, mart.schema(connection, participants), batches)
            for one in found:
                one.write(connection, new, options)
            if book:
                book.write(new)
    return ExportResult(folder, result)


def _rows(layout: Layout, by_folder: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """The number of rows of each table's file, by its relative path. `by_folder`: the participants in each stage."""
    return {
        f"{start}{table}.{ending}": rows
        for start, by_stage in by_folder.items()
        for table, rows in zip(layout.tables(), [*by_stage, sum(by_stage)], strict=True)
        for ending in layout.endings
    }


def _write(
    new: Path, layout: Layout, folders: dict[str, str], schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    """Write the tables of stages and of all participants. Batches are sorted by study."""
    with stage_writer(new, layout, schema) as write, ExitStack() as stack:
        written: str | None = None
        write_of_study = write
        for batch in batches:
            write(batch)
            for study, piece in _by_study(batch) if folders else ():
                if study != written:
                    stack.close()
                    write_of_study = stack.enter_context(stage_writer(new / folders[study], layout, schema))
                    written = study
                write_of_study(piece)


def _by_study(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batch, split by study."""
    runs = pc.run_end_encode(batch.column(STUDY))
    start = 0
    for study, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield study, batch.slice(start, end - start)
        start = end
