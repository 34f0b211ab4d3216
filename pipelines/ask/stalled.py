"""`studyflow stalled`: participants who have been in a stage for too long, and what to do about each."""

from typing import Any

import duckdb

from pipelines.ask.find import only_study
from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line, tenths
from pipelines.ask.warehouse import ask, marts_as_of

COLUMNS = Headings(
    ("participant", "study", "days", "to do", "stage", "status"),
    right=("days",),
    shrink="study",
)


def stalled(connection: duckdb.DuckDBPyConnection, study: str | None = None, action: str | None = None) -> Listing:
    """The stalled participants in one study or all, with this action; None means remind or move by hand.

    Raises:
        StudyflowError: the tables are not built, or `study` matches no study or several.
    """
    as_of = marts_as_of(connection)
    study_id = only_study(connection, study)
    [totals] = ask(connection, "stalled_totals", study_id=study_id).records()
    counts = f"{totals['remind']:,} to remind, {totals['move_by_hand']:,} to move to another status in Rally by hand, {totals['let_go']:,} to let go"
    notes = [(f"{counts}." if any(totals.values()) else "Nobody.", "bold")]
    if totals["let_go"] and action is None:
        notes.append(
            ("To let go: disqualified, or in a study that is closed or full. --action let_go lists them.", "dim")
        )
    rows = ask(connection, "stalled", study_id=study_id, asked_action=action)
    return Listing(as_of, "participants", rows, COLUMNS, _line, totals, notes)


def _line(row: dict[str, Any]) -> Line:
    return [
        row["participant_id"],
        row["study_name"] or row["study_id"],
        tenths(row["days_in_stage"]),
        row["action"].replace("_", " "),
        row["current_stage"],
        row["current_status_label"],
    ]
