"""`studyflow studies`: all studies, with their progress and when they will be full."""

from typing import Any

import duckdb

from pipelines.ask.forecast import completed, when_full
from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line
from pipelines.ask.warehouse import ask, marts_as_of

COLUMNS = Headings(
    ("study", "people", "completed", "owed", "stalled", "last change", "full"),
    right=("people", "completed", "owed", "stalled"),
    shrink="study",
)
NOTE = "owed: incentives not sent, unclaimed or undelivered. stalled: participants to remind or to move by hand (studyflow stalled)."


def studies(connection: duckdb.DuckDBPyConnection, *, only_open: bool = False) -> Listing:
    """All studies, or only those that are neither closed nor full.

    Raises:
        StudyflowError: the tables are not built.
    """
    as_of = marts_as_of(connection)
    rows = ask(connection, "studies", only_open=only_open)
    return Listing(as_of, "studies", rows, COLUMNS, _line, notes=[(NOTE, "dim")])


def _line(row: dict[str, Any]) -> Line:
    return [
        row["study_name"] or row["study_id"],
        f"{row['participants']:,}",
        completed(row),
        f"{row['backlog']:,}",
        f"{row['stalled']:,}",
        f"{row['last_change_at']:%Y-%m-%d}",
        when_full(row | {"is_full": row["is_target_reached"]}),
    ]
