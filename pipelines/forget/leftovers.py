"""Remove files with personal data that killed runs left, and list all places where studyflow writes such data."""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipelines.build import dbt_folders
from pipelines.run import spark_builder
from pipelines.settings import PROJECT, Settings
from pipelines.system import DRAFT

DUCKDB_TEMP_FILE = re.compile(r"duckdb_temp_(\d+)_.*")
"""A file that DuckDB spills memory to, with its process id. It is compressed, so it cannot be searched."""

SESSIONS = PROJECT / "notebooks" / "__marimo__"
"""Where marimo saves the notebook's last answers. It makes these files again."""


def remove(settings: Settings, mentions_person: Callable[[Path], bool]) -> list[Path]:
    """Delete files that nobody needs if they mention the person, or if they cannot be searched; return those deleted.

    The search reports files that cannot be deleted.
    """
    files = [path for path in _files(*_temp_folders(settings)) if _is_of_ended_process(path)]
    files += [path for path in _files(settings.reports) if path.name.endswith(DRAFT) and mentions_person(path)]
    files += [path for path in _files(SESSIONS) if path.suffix == ".json" and mentions_person(path)]
    for path in files:
        with suppress(OSError):
            path.unlink()
    return [path for path in files if not os.path.lexists(path)]


def places(settings: Settings) -> list[Path]:
    """All files and folders, other than the warehouse, in which studyflow may have written data on people."""
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
        *_spark_folders(settings),
        *(dbt_folders(database) or {"": PROJECT / (os.environ.get("DBT_LOG_PATH") or "logs")}).values(),
    ]


def _spark_folders(settings: Settings) -> list[Path]:
    """The folders of the tables that Spark made, and dbt's logs; dbt's target folder has no data."""
    if settings.engine != "spark":
        return []
    folder = spark_builder(settings).folder
    return [folder / "dbt" / "logs", *(path for path in folder.iterdir() if path.name not in {"dbt", "tables"})]


def duckdb_process(path: Path) -> int | None:
    """The process whose memory DuckDB spilled to this file; None if it is another kind of file, or empty."""
    found = DUCKDB_TEMP_FILE.fullmatch(path.name)
    return int(found[1]) if found and path.stat().st_size else None


def _temp_folders(settings: Settings) -> list[Path]:
    """Where DuckDB spills memory to. If that is the system's temporary folder, only DuckDB's files in it."""
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
    """Whether DuckDB wrote this file for a process that has ended; false if the system cannot tell."""
    found = DUCKDB_TEMP_FILE.fullmatch(path.name)
    if not found or sys.platform == "win32":  # on Windows, signal 0 would end the process
        return False
    try:
        os.kill(int(found[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False
