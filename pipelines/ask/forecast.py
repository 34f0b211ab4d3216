"""`studyflow forecast`: when studies will be full, and how many people to invite."""

from datetime import date
from typing import Any

import duckdb

from pipelines.ask.find import only_study
from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line, study_label, tenths
from pipelines.ask.warehouse import QueryResult, ResultColumn, ask, marts_as_of
from pipelines.warehouse import Row, has_table

COLUMNS = Headings(
    ("study", "completed", "active", "expected", "full", "invite today", "80% came true"),
    right=("completed", "active", "expected"),
    shrink="study",
)
NOTES = (
    "active: invited, never completed, and not in a terminal stage now. expected: how many of these will likely complete in eight weeks.",
    "Forecasts count only people who have already been invited.",
)
UNRELIABLE = "80% came true: how many past statements with an 80% chance came true. Shown if fewer than 70% did (studyflow backtest)."
RECORD = (
    ResultColumn("judged_80", "INTEGER"),
    ResultColumn("came_true_80", "INTEGER"),
    ResultColumn("is_unreliable", "BOOLEAN"),
)


def forecast(connection: duckdb.DuckDBPyConnection, study: str | None = None) -> Listing:
    """The forecasts of one study or all, with the columns of `RECORD` added.

    Raises:
        StudyflowError: the tables are not built, or `study` matches no study or several.
    """
    as_of = marts_as_of(connection)
    study_id = only_study(connection, study or None)
    record = records(connection)
    result = ask(connection, "forecast", study_id=study_id)
    place = [column.name for column in result.columns].index("study_id")
    rows = [(*row, *(record.get(row[place], {}).get(column.name) for column in RECORD)) for row in result.rows]
    notes = [(note, "dim") for note in NOTES]
    notes += [(UNRELIABLE, "yellow")] if any(row[-1] for row in rows) else []
    return Listing(as_of, "studies", QueryResult((*result.columns, *RECORD), iter(rows)), COLUMNS, _line, notes=notes)


def records(connection: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """The results of the last backtest, if any, by study: `judged_80`, `came_true_80`, `is_unreliable`."""
    if not has_table(connection, "state", "forecast_record"):
        return {}
    return {row.pop("study_id"): row for row in ask(connection, "forecast_record").records()}


def _line(row: dict[str, Any]) -> Line:
    return [
        study_label(row["study_id"], row["study_name"]),
        completed(row),
        f"{row['active']:,}",
        tenths(row["expected"]),
        when_full(row),
        how_many(row),
        f"{row['came_true_80']:,} of {row['judged_80']:,}" if row["is_unreliable"] else "",
    ]


def completed(row: dict[str, Any]) -> str:
    """How many completed a study, with its target if it has one: `12 of 40`."""
    return f"{row['completed']:,}" + (f" of {row['target']:,}" if row["target"] is not None else "")


def when_full(row: dict[str, Any]) -> str:
    """When a study will be full: `by 14 Aug (80%: 10 Aug to 21 Aug)`, or why this is unknown."""
    reasons = {
        "closed": row["is_closed"],
        "full": row["is_full"],
        "too little known": row["too_little_known"],
        "no target": row["target"] is None,
        "needs more invitations": row["full_on_50"] is None,
    }
    for reason, applies in reasons.items():
        if applies:
            return reason
    if row["latest_80_on"] is None:
        return f"by {day(row['full_on_50'])}, uncertain"
    return f"by {day(row['full_on_50'])} (80%: {day(row['earliest_80_on'])} to {day(row['latest_80_on'])})"


def how_many(row: dict[str, Any]) -> str:
    """How many people to invite to be full by a date with a chance of 80%: `35, for 14 Aug`."""
    if row["invite_by"] is None:
        return ""
    if row["invite_80"] is None:
        return "too little known"
    return f"{row['invite_80']:,}, for {day(row['invite_by'])}" if row["invite_80"] else "nobody"


def day(value: date) -> str:
    """A day without the year, because forecasts reach only a few weeks ahead."""
    return f"{value.day} {value:%b}"
