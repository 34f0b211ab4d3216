"""`studyflow forecast`: when studies are full, and how many to invite for that."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
from rich.console import Console

from pipelines.ask.find import find_study
from pipelines.ask.show import Headings, moment, put_lines, say, study, tenths
from pipelines.ask.warehouse import QueryResult, ask, marts_as_of

COLUMNS = Headings(
    ("study", "completed", "active", "expected", "full", "invite today"),
    right=("completed", "active", "expected"),
    shrink="study",
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A row for each study."""

    as_of: datetime
    studies: QueryResult

    def as_dict(self) -> dict[str, Any]:
        """The forecasts as JSON has them."""
        rows = [{key: value for key, value in row.items() if key != "as_of"} for row in self.studies.records()]
        return {"as_of": self.as_of, "studies": rows}


def forecast(connection: duckdb.DuckDBPyConnection, asked: str | None) -> Forecast:
    """The forecast of the study that was asked for, or of all.

    Raises:
        StudyflowError: the tables are not built, or no study or more than one is meant.
    """
    as_of = marts_as_of(connection)
    study_id = find_study(connection, asked) if asked else None
    return Forecast(as_of, ask(connection, "forecast", study_id=study_id))


def render(found: Forecast, console: Console) -> None:
    """Print a line for each study."""
    say(console, f"as of {moment(found.as_of)} UTC", "dim")
    say(console)
    lines = [
        [
            study(row["study_id"], row["study_name"]),
            f"{row['completed']:,}" + (f" of {row['target']:,}" if row["target"] is not None else ""),
            f"{row['active']:,}",
            tenths(row["expected"]),
            when_full(row),
            how_many(row),
        ]
        for row in found.studies.records()
    ]
    put_lines(console, COLUMNS, lines)
    say(
        console,
        "active: invited, neither completed nor lost. expected: how many of them complete in eight weeks.",
        "dim",
    )
    say(console, "Nobody who will be invited later counts.", "dim")


def when_full(row: dict[str, Any]) -> str:
    """The words for when a study is full: `by 14 Aug (80 %: 10 Aug to 21 Aug)`."""
    reasons = {
        "closed": row["is_closed"],
        "full": row["is_full"],
        "too little known": row["too_little_known"],
        "no target": row["target"] is None,
        "not with those invited": row["full_on_50"] is None,
    }
    for words, holds in reasons.items():
        if holds:
            return words
    if row["latest_80_on"] is None:
        return f"by {day(row['full_on_50'])}, not sure"
    return f"by {day(row['full_on_50'])} (80 %: {day(row['earliest_80_on'])} to {day(row['latest_80_on'])})"


def how_many(row: dict[str, Any]) -> str:
    """The words for how many to invite, with 80 % confidence: `35, for 14 Aug`."""
    if row["invite_by"] is None:
        return ""
    if row["invite_80"] is None:
        return "too little known"
    return f"{row['invite_80']:,}, for {day(row['invite_by'])}" if row["invite_80"] else "nobody"


def day(of: date) -> str:
    """A day without its year: nothing is forecast further than some weeks."""
    return f"{of.day} {of:%b}"
