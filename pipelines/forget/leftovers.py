"""What runs that were killed left behind, and where else studyflow writes what it knows of people."""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipelines.build import dbt_folders
from pipelines.export.replace import workspace
from pipelines.run import spark_builder
from pipelines.settings import PROJECT, Settings
from pipelines.system import DRAFT

PACKED = re.compile(r"duckdb_temp_(\d+)_.*")
"""Where DuckDB goes on when its memory is full, by the process. What is in it is packed, so it cannot be searched."""

SESSIONS = PROJECT / "notebooks" / "__marimo__"
"""What marimo keeps of the notebook's last answers. It makes that again."""


def clear_exports(settings: Settings) -> None:
    """Clear what a killed export left beside its folder.

    Raises:
        StudyflowError: another process is exporting.
    """
    if settings.exports.parent.is_dir():
        with workspace(settings.exports):
            pass


def remove(settings: Settings, holds: Callable[[Path], bool]) -> list[Path]:
    """Remove what nobody needs and holds the person, or may hold them and cannot be searched; the paths of that.

    What cannot be removed stays for the search to name.
    """
    files = [path for path in _files(*_temp_folders(settings)) if _is_of_ended_process(path)]
    files += [path for path in _files(settings.reports) if path.name.endswith(DRAFT) and holds(path)]
    files += [path for path in _files(SESSIONS) if path.suffix == ".json" and holds(path)]
    for path in files:
        with suppress(OSError):
            path.unlink()
    return [path for path in files if not os.path.lexists(path)]


def places(settings: Settings) -> list[Path]:
    """All files and folders beside the warehouse in which people may be, as far as studyflow writes there."""
    database = Path(os.path.realpath(settings.database))
    return [
        settings.exports,
        settings.exports.with_name(f".{settings.exports.name}.studyflow-export"),
        settings.reports,
        settings.studies_file,
        database.with_name(f"{database.name}.wal"),
        database.with_name(f".{database.name}.studyflow"),
        *_temp_folders(settings),
        *Path(tempfile.gettempdir()).glob("studyflow-*"),
        SESSIONS,
        *_of_spark(settings),
        *(dbt_folders(database) or {"": PROJECT / (os.environ.get("DBT_LOG_PATH") or "logs")}).values(),
    ]


def _of_spark(settings: Settings) -> list[Path]:
    """Where a warehouse that Spark makes has its tables, but what dbt has read, which is no data."""
    if settings.engine != "spark":
        return []
    folder = spark_builder(settings).folder
    return [folder / "dbt" / "logs", *(path for path in folder.iterdir() if path.name not in {"dbt", "tables"})]


def packed_by(path: Path) -> int | None:
    """The process for which DuckDB packed what is in the file; None if it is another file or empty."""
    found = PACKED.fullmatch(path.name)
    return int(found[1]) if found and path.stat().st_size else None


def _temp_folders(settings: Settings) -> list[Path]:
    """Where DuckDB goes on when its memory is full. Of the system's temp folder only what is DuckDB's."""
    beside = settings.database.with_name(f"{settings.database.name}.tmp")
    if not (given := os.environ.get("STUDYFLOW_TEMP_DIRECTORY")):
        return [beside]
    folder = Path(given)
    if folder.resolve() in {Path(tempfile.gettempdir()).resolve(), Path(folder.anchor)}:
        return [beside, *folder.glob("duckdb_temp_*")]
    return [beside, folder]


def _files(*places: Path) -> list[Path]:
    return [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]


def _is_of_ended_process(path: Path) -> bool:
    """Whether DuckDB packed it for a process that has ended; false where the system cannot be asked."""
    found = PACKED.fullmatch(path.name)
    if not found or sys.platform == "win32":  # there, this signal would end it
        return False
    try:
        os.kill(int(found[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False
