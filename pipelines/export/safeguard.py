"""Refuse an export that would drop most participants of the last one, because its source is probably broken."""

import csv
from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.export.replace import options_of_export
from pipelines.export.tables import ALL_PARTICIPANTS
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
    rows_before = before.get("participants")
    if not isinstance(rows_before, int):
        rows_before = _rows(folder / f"{ALL_PARTICIPANTS}.csv")
    rows_now = only_row(connection, f"select count(*) from marts.{ALL_PARTICIPANTS}")[0]  # noqa: S608
    if rows_before - rows_now > rows_before / 2:
        msg = (
            f"{folder}: the export there has {rows_before:,} participants, and this one would have {rows_now:,}. "
            "It was left as it is. Check --raw, --database and --as-of; if they are right, add --force."
        )
        raise StudyflowError(msg)


def _rows(file: Path) -> int:
    """The number of rows of a CSV file; 0 if it is unreadable. Manifests of earlier versions lack this number."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return max(0, sum(1 for _ in csv.reader(lines)) - 1)
    except (OSError, ValueError, csv.Error):
        return 0
