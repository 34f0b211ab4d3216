"""Refuse an export that would drop most participants of the last one, because its source is probably broken."""

import csv
from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.export.replace import options_of_export
from pipelines.export.tables import EVERYONE
from pipelines.state import is_sample
from pipelines.warehouse import only_row


def refuse_to_drop_most(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Compare the number of participants with that of the export in the folder. An export of the sample may be dropped.

    Raises:
        StudyflowError: the new export would have less than half as many participants.
    """
    before = options_of_export(folder)
    if before is None or (before.get("is_sample") and not is_sample(connection)):
        return
    had = before.get("participants")
    if not isinstance(had, int):
        had = _rows(folder / f"{EVERYONE}.csv")
    has = only_row(connection, f"select count(*) from marts.{EVERYONE}")[0]  # noqa: S608
    if had - has > had / 2:
        msg = (
            f"{folder}: the export there has {had:,} participants, and this one would have {has:,}. It was left as it is. "
            "Check --raw, --database and --as-of; if they are right, add --force."
        )
        raise StudyflowError(msg)


def _rows(file: Path) -> int:
    """The number of rows of a CSV file; 0 if it is unreadable. Manifests of earlier versions lack this number."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return max(0, sum(1 for _ in csv.reader(lines)) - 1)
    except (OSError, ValueError, csv.Error):
        return 0
