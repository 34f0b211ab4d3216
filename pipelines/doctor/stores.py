"""The check of object stores."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from pipelines.doctor.diagnoses import Diagnosis
from pipelines.errors import StudyflowError
from pipelines.load.objects import beginning_of, listing_of
from pipelines.object_paths import ObjectPath, RawPath
from pipelines.plain import instant, several


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
