"""Whether an export would take away most of what people have: a broken source looks like a small one."""

import csv
from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.export.replace import how_made
from pipelines.export.tables import EVERYONE
from pipelines.state import is_sample
from pipelines.warehouse import only_row


def refuse_to_drop_most(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Compare the participants with those of the export in the folder; its other tables are parts or forms of that one.

    An export of the sample is nobody's work and may be dropped.

    Raises:
        StudyflowError: it has less than half as many participants.
    """
    before = how_made(folder)
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
    """How many rows a CSV file has: exports of earlier versions do not say it. 0 where it cannot be read."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return max(0, sum(1 for _ in csv.reader(lines)) - 1)
    except (OSError, ValueError, csv.Error):
        return 0
