"""`studyflow backtest`: how often the forecasts of past weeks came true."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb
from rich.console import Console

from pipelines.ask.show import Headings, moment, put_lines, say, study
from pipelines.ask.stream import csv_lines, document
from pipelines.ask.warehouse import QueryResult, ask
from pipelines.warehouse import Row

LEVELS = (50, 80, 95)
CHANCES = ("50 % chance", "80 % chance", "95 % chance")
OVERALL = Headings(("statements that came true", *CHANCES), right=CHANCES)
BY_STUDY = Headings(("study", *CHANCES, ""), right=CHANCES, shrink="study")
UNRELIABLE = "unreliable"
NOTES = (
    "expected: the average chance that the forecasts gave. It is above 50, 80 or 95 % because numbers of people and of days are whole numbers.",
    "Statements made a week apart are mostly about the same people, so there are fewer independent cases than statements.",
    "A statement counts only people who had been invited when it was made. Statements about future days are not judged.",
    f"{UNRELIABLE}: fewer than 70 % of at least 30 statements with an 80 % chance came true.",
)


@dataclass(frozen=True, slots=True)
class Backtest:
    """The rows of backtest.sql, read once."""

    columns: QueryResult
    rows: list[Row]

    def as_csv(self) -> Iterator[str]:
        """A line for each confidence of all statements, of each kind, and of each study."""
        return csv_lines(self.columns)

    def as_json(self) -> Iterator[str]:
        """As-of, and how often statements came true: in all, by kind and by study."""
        first = self.rows[0] if self.rows else {"as_of": None, "weeks": None}
        common = ("as_of", "weeks")
        shown = [{key: value for key, value in row.items() if key not in common} for row in self.rows]
        return document(
            {
                **{key: first[key] for key in common},
                "overall": [
                    _without(row, "study_id", "study_name", "statement", "horizon") for row in self._overall(shown)
                ],
                "kinds": [_without(row, "study_id", "study_name") for row in shown if row["statement"]],
                "studies": [_without(row, "statement", "horizon") for row in shown if row["study_id"]],
            }
        )

    def render(self, console: Console) -> None:
        """Print how many statements came true: of all, by kind, and by study."""
        if not self.rows:
            say(
                console, "No forecast could be made for any past week: too little was known then, or no study was open."
            )
            return
        first = self.rows[0]
        say(
            console,
            f"forecasts made as of each of the {first['weeks']} weeks before {moment(first['as_of'])} UTC",
            "dim",
        )
        say(console)
        of_all = [row for row in self.rows if row["study_id"] is None]
        kinds = groupby(of_all, key=lambda row: (row["statement"], row["horizon"]))
        put_lines(console, OVERALL, [[kind(*of), *_cells(list(rows), said=True)] for of, rows in kinds])
        say(console)
        lines = []
        for study_id, rows in groupby((row for row in self.rows if row["study_id"]), key=lambda row: row["study_id"]):
            found = list(rows)
            warning = UNRELIABLE if any(row["is_unreliable"] for row in found) else ""
            lines.append([study(study_id, found[0]["study_name"]), *_cells(found), warning])
        put_lines(console, BY_STUDY, lines)
        for note in NOTES:
            say(console, note, "dim")

    @staticmethod
    def _overall(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["study_id"] is None and row["statement"] is None]


def backtested(connection: duckdb.DuckDBPyConnection) -> Backtest:
    """What the last backtest found."""
    found = ask(connection, "backtest")
    rows = list(found.rows)
    return Backtest(QueryResult(found.columns, iter(rows)), QueryResult(found.columns, iter(rows)).records())


def kind(statement: str | None, horizon: int | None) -> str:
    """What a kind of statement says: `at least N within 7 days`."""
    if statement is None:
        return "all statements"
    return "full by a date" if statement == "full_by" else f"at least N within {horizon} days"


def _without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _cells(rows: list[Row], *, said: bool = False) -> list[str]:
    by_level = {row["confidence"]: row for row in rows}
    return [_cell(by_level.get(level), said=said) for level in LEVELS]


def _cell(row: Row | None, *, said: bool) -> str:
    """`1,085 of 1,496, 73 % (expected 84 %)`."""
    if row is None or not row["judged"]:
        return ""
    text = f"{row['came_true']:,} of {row['judged']:,}, {row['came_true_share']:.0%}".replace("%", " %")
    return text + (f" (expected {row['said']:.0%})".replace("%", " %") if said else "")
