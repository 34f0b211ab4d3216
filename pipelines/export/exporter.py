"""`marts.participants` as files: the tables of all participants and stages, and of each study if asked for."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb

from pipelines.errors import StudyflowError
from pipelines.export import mart, parts
from pipelines.export.builds import Marts, marts
from pipelines.export.cells import Column, header
from pipelines.export.names import distinct_names
from pipelines.export.parts import PARTS, Part, Parts, Sizes
from pipelines.export.place import explained, usable
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.replace import MANIFEST, workspace
from pipelines.export.splice import Kept, Plan, fill
from pipelines.export.tables import EVERYONE, Format, Layout

if TYPE_CHECKING:
    from pipelines.export.workbook import Book


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export left: the rows of each file, in a fixed order, and for which studies it had to write them.

    `wrote` is "all"; "touched" where the rest was taken from the export of before; "nothing" where that was all there.
    """

    folder: Path
    rows: dict[Path, int]
    wrote: Literal["all", "touched", "nothing"] = "all"

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
    pseudonyms: Pseudonyms | None = None,
) -> Exported:
    """Replace the export in a folder by one of the marts as they are now: all of it, or nothing on any failure.

    The folder gets a table of each stage and one of all participants; with `by_study` also a folder for each study
    with the same, ``xlsx`` is one workbook of all marts. The same marts give the same bytes, whether or not parts of the export of before could be used, as
    they can where the last build only put in what is new. Files of others in the folder stay. With `pseudonyms`, those
    stand in place of the ids of participants and persons, and rows are in their order.

    Raises:
        StudyflowError: the marts are not there, or the folder cannot be written or replaced.
    """
    columns = mart.columns(connection)
    stages = mart.stages(connection)
    stage_files = distinct_names(stages.values(), taken=[EVERYONE])
    layout = Layout(
        stages={stage: stage_files[name] for stage, name in stages.items()},
        formats=tuple(one for one in formats if one != "xlsx"),
        header=header(connection, columns),
        schema=mart.schema(connection, columns),
    )
    counts = mart.counts(connection, stages)
    folders = distinct_names(counts, taken=[*layout.files(), MANIFEST, PARTS]) if by_study else {}
    plan = Plan(layout, counts, folders)
    book = _book(connection, columns, layout, counts, pseudonyms) if "xlsx" in formats else None
    rows = _rows(plan) | (book.files if book else {})
    with_values = "parquet" in formats
    how = parts.made_with(
        mart.query(columns, with_values=with_values),
        layout,
        pseudonyms,
        by_study=by_study,
        workbook=book.made_with if book else None,
    )
    made = {
        "formats": list(formats),
        "by_study": by_study,
        "pseudonyms": pseudonyms.fingerprint if pseudonyms else None,
    }
    now = marts(connection)
    databases = connection.execute("select path from duckdb_databases() where path is not null").fetchall()
    with (
        explained(folder),
        workspace(usable(folder, [Path.cwd(), *(Path(path) for (path,) in databases)])) as space,
    ):
        before = _usable_parts(space.folder, how)
        done = {folder / name: count for name, count in rows.items()}
        if now and before and before.build == now.build and before.files.keys() == {MANIFEST, *rows}:
            return Exported(folder, done, "nothing")
        plan = Plan(layout, counts, folders, _kept(plan, before, now, space.folder))
        with (
            space.replacement([*rows, PARTS] if now else list(rows), made) as new,
            closing(mart.batches(connection, columns, plan.needed(), pseudonyms, with_values=with_values)) as batches,
        ):
            sizes = fill(new, plan, batches)
            if book:
                book.write(connection, new)
            if plan.kept and not plan.kept.parts.are_in(space.folder):
                msg = f"{folder}: a file in it was changed while it was exported again. Try again."
                raise StudyflowError(msg)
            if now:
                seen = parts.look_at(new, [MANIFEST, *rows])
                Parts(how, now.build, seen, _studies(plan, sizes)).write(new)
    return Exported(folder, done, "touched" if plan.kept else "all")


def _book(
    connection: duckdb.DuckDBPyConnection,
    columns: list[Column],
    layout: Layout,
    counts: dict[str, tuple[int, ...]],
    pseudonyms: Pseudonyms | None,
) -> "Book":
    from pipelines.export.workbook import plan  # noqa: PLC0415 - most exports have none

    return plan(connection, columns, layout.stages, counts, pseudonyms)


def _rows(plan: Plan) -> dict[str, int]:
    """The rows of each file by its relative path."""
    stages = [sum(rows) for rows in zip(*plan.counts.values(), strict=True)] or [0] * len(plan.layout.stages)
    inside = {"": stages} | {f"{name}/": list(plan.counts[study]) for study, name in plan.folders.items()}
    return {
        f"{start}{table}.{ending}": rows
        for start, by_stage in inside.items()
        for table, rows in zip(plan.layout.tables(), [*by_stage, sum(by_stage)], strict=True)
        for ending in plan.layout.formats
    }


def _usable_parts(folder: Path, how: str) -> Parts | None:
    """What the export in the folder remembers, if it was made alike and nobody has changed a file since."""
    before = parts.read(folder)
    return before if before and before.made_with == how and before.are_in(folder) else None


def _kept(plan: Plan, before: Parts | None, now: Marts | None, folder: Path) -> Kept | None:
    """The studies that need not be written again, if the export was made of the very tables that the build began with.

    Parquet is made whole: its row groups go across studies.
    """
    if not (before and now and before.build == now.before and plan.layout.formats == ("csv",)):
        return None
    bounds = before.bounds(plan.layout)
    if bounds is None:
        return None
    place = {
        study: number
        for number, (study, part) in enumerate(before.studies.items())
        if study not in now.touched and plan.counts.get(study) == part.rows
    }
    return Kept(before, folder, bounds, place)


def _studies(plan: Plan, sizes: Sizes) -> dict[str, Part]:
    """What is each study's in the new files."""
    kept = plan.kept.parts.studies if plan.kept else {}
    place = plan.kept.place if plan.kept else {}
    return {
        study: Part(plan.folders.get(study, ""), kept[study].bytes if study in place else sizes.of_study(study), rows)
        for study, rows in plan.counts.items()
    }
