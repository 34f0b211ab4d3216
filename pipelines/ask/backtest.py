"""`studyflow backtest`: how often the forecasts of past weeks came true."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import duckdb
from rich.console import Console

from pipelines.ask.show import Headings, moment, print_columns, print_line, study_label
from pipelines.ask.stream import csv_lines, document
from pipelines.ask.warehouse import QueryResult, ask
from pipelines.warehouse import Row

LEVELS = (50, 80, 95)
CHANCES = ("50% chance", "80% chance", "95% chance")
OVERALL = Headings(("statements that came true", *CHANCES), right=CHANCES)
BY_STUDY = Headings(("study", *CHANCES, ""), right=CHANCES, shrink="study")
UNRELIABLE = "unreliable"
NOTES = (
    "expected: the average chance stated. It is above 50, 80 or 95% because numbers of people and of days are whole numbers.",
    "Statements made a week apart are mostly about the same people, so there are fewer independent cases than statements.",
    "A statement counts only people who had been invited when it was made. Statements about future days are not judged.",
    f"{UNRELIABLE}: fewer than 70% of at least 30 statements with an 80% chance came true.",
)


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result of a backtest: the rows of backtest.sql."""

    rows: QueryResult

    def as_csv(self) -> Iterator[str]:
        """A line for each confidence: of all statements, of each kind of statement, and of each study."""
        return csv_lines(self.rows)

    def as_json(self) -> Iterator[str]:
        """The as-of time, and how often statements came true: overall, by kind and by study."""
        first = next(iter(self.rows.records()), {"as_of": None, "weeks": None})
        shown = self.rows.records(without={"as_of", "weeks"})
        overall = [row for row in shown if row["study_id"] is None and row["statement"] is None]
        return document(
            {
                "as_of": first["as_of"],
                "weeks": first["weeks"],
                "overall": [_without(row, "study_id", "study_name", "statement", "horizon") for row in overall],
                "kinds": [_without(row, "study_id", "study_name") for row in shown if row["statement"]],
                "studies": [_without(row, "statement", "horizon") for row in shown if row["study_id"]],
            }
        )

    def render(self, console: Console) -> None:
        """Print how many statements came true: overall, by kind, and by study."""
        rows = self.rows.records()
        if not rows:
            print_line(
                console, "No forecast could be made for any past week: too little was known then, or no study was open."
            )
            return
        weeks, as_of = rows[0]["weeks"], rows[0]["as_of"]
        print_line(console, f"one forecast for each of the {weeks} weeks before {moment(as_of)} UTC", "dim")
        print_line(console)
        all_studies = [row for row in rows if row["study_id"] is None]
        kinds = groupby(all_studies, key=lambda row: (row["statement"], row["horizon"]))
        print_columns(
            console, OVERALL, [[kind(*key), *_cells(list(group), with_expected=True)] for key, group in kinds]
        )
        print_line(console)
        lines = []
        for study_id, group in groupby((row for row in rows if row["study_id"]), key=lambda row: row["study_id"]):
            of_study = list(group)
            warning = UNRELIABLE if any(row["is_unreliable"] for row in of_study) else ""
            lines.append([study_label(study_id, of_study[0]["study_name"]), *_cells(of_study), warning])
        print_columns(console, BY_STUDY, lines)
        for note in NOTES:
            print_line(console, note, "dim")


def backtested(connection: duckdb.DuckDBPyConnection) -> Backtest:
    """The result of the last backtest."""
    return Backtest(ask(connection, "backtest").materialized())


def kind(statement: str | None, horizon: int | None) -> str:
    """The description of a kind of statement: `at least N within 7 days`."""
    if statement is None:
        return "all statements"
    return "full by a date" if statement == "full_by" else f"at least N within {horizon} days"


def _without(row: Row, *keys: str) -> Row:
    return {key: value for key, value in row.items() if key not in keys}


def _cells(rows: list[Row], *, with_expected: bool = False) -> list[str]:
    by_level = {row["confidence"]: row for row in rows}
    return [_cell(by_level.get(level), with_expected=with_expected) for level in LEVELS]


def _cell(row: Row | None, *, with_expected: bool) -> str:
    """`1,085 of 1,496, 73% (expected 84%)`."""
    if row is None or not row["judged"]:
        return ""
    text = f"{row['came_true']:,} of {row['judged']:,}, {row['came_true_share']:.0%}"
    return text + (f" (expected {row['said']:.0%})" if with_expected else "")
