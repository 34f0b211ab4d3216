"""The checks of what a run reads and writes: object stores and the warehouse."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.ask.warehouse import reading
from pipelines.doctor.diagnoses import Diagnosis
from pipelines.errors import StudyflowError
from pipelines.load.loader import result_if_nothing_new
from pipelines.load.objects import beginning_of, listing_of
from pipelines.object_paths import ObjectPath, RawPath
from pipelines.plain import instant, several
from pipelines.state import built_as_of

OLD = timedelta(days=1)


def check_stores(paths: Iterable[RawPath]) -> Iterator[Diagnosis]:
    """Check that each object-store address among the paths has objects, and that the latest of them can be read."""
    for path in paths:
        if not isinstance(path, ObjectPath):
            continue
        try:
            listing = listing_of(path)
            objects = [*listing.named, *listing.inside]
            latest = max(objects, key=lambda one: one.modified_ns, default=None)
            if latest:
                beginning_of(latest, 1)
        except StudyflowError as error:
            yield Diagnosis("object store", "problem", str(error))
            continue
        if latest is None:
            yield Diagnosis("object store", "problem", f"{path}: there are no objects.", "Check the address.")
        else:
            when = instant(datetime.fromtimestamp(latest.modified_ns / 1e9, UTC))
            yield Diagnosis(
                "object store", "ok", f"{path}: {several(len(objects), 'object')}, the latest written {when}"
            )


def check_warehouse(database: Path, folder: Path | None) -> Iterator[Diagnosis]:
    """Check that the tables are built, and that all deliveries in the receiver's folder are loaded."""
    if not database.exists():
        yield Diagnosis("warehouse", "warning", f"{database}: there is none yet.", "Make it: studyflow run")
        return
    try:
        with reading(database) as connection:
            as_of = built_as_of(connection)
            is_all_loaded = (
                folder is None or not folder.is_dir() or result_if_nothing_new(connection, [folder]) is not None
            )
    except StudyflowError as error:
        yield Diagnosis("warehouse", "problem", str(error))
        return
    if as_of is None:
        yield Diagnosis(
            "warehouse", "warning", f"{database}: its tables have not been built.", "Build them: studyflow run"
        )
        return
    is_old = datetime.now(UTC) - as_of > OLD
    found = f"{database}, as of {instant(as_of)}" + ("" if is_all_loaded else "; deliveries are waiting to be loaded")
    if is_old and not is_all_loaded:
        remedy = f"Run the pipeline more often, e.g. studyflow receive --run-every 15m, or run it now: studyflow run --raw {folder}"
        yield Diagnosis("warehouse", "warning", found, remedy)
    else:
        yield Diagnosis("warehouse", "ok", found)
