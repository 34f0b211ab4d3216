"""`studyflow funnel`: how far the participants of a study got, which steps they have not reached, and which paths they took."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
from rich.console import Console

from pipelines.ask.find import find_study
from pipelines.ask.show import Headings, moment, print_columns, print_line, study_label, tenths
from pipelines.ask.stream import csv_lines, document
from pipelines.ask.warehouse import QueryResult, ask, marts_as_of
from pipelines.plain import several
from pipelines.warehouse import Row

BAR = 10
FEW = 20
"""Shares of fewer people than this are shown as counts, because a percentage would suggest too much precision."""
STEPS = Headings(
    ("step", "reached", "", "from previous", "from first", "median h", "90th pct h", "active", "lost"),
    right=("reached", "from first", "median h", "90th pct h", "active", "lost"),
    styles={"": "cyan"},
)
WITHIN = Headings(("after the invitation", "completed", "same type", "lost"), right=("completed", "same type", "lost"))
STOPS = Headings(("step not reached", "status now", "participants", "active or lost"), right=("participants",))

PATHS = Headings(
    ("participants", "of all", "median d", "90th pct d", "leads to", "waiting d", "path"),
    right=("participants", "of all", "median d", "90th pct d", "waiting d"),
)


@dataclass(frozen=True, slots=True)
class Funnel:
    """The funnel of a study: steps, incidence, the current status of people who have not reached each step, and paths."""

    steps: QueryResult
    incidence: list[Row]
    drop_off: list[Row]
    paths: list[Row]

    def as_csv(self) -> Iterator[str]:
        """A line for each step, with `as_of`."""
        return csv_lines(self.steps)

    def as_json(self) -> Iterator[str]:
        """The study, its steps, the incidence, the current status of people who have not reached a step, and the paths."""
        first, *_ = self.steps.records()
        common = {key: first[key] for key in ("study_id", "study_name", "as_of")}
        return document(
            {
                **common,
                "steps": self.steps.records(without=common),
                "incidence": self.incidence,
                "drop_off": self.drop_off,
                "paths": self.paths,
            }
        )

    def render(self, console: Console) -> None:
        """Print the steps, the incidence, the current status of people who have not reached a step, and the paths."""
        steps = self.steps.records()
        print_line(console, f"as of {moment(steps[0]['as_of'])} UTC", "dim")
        print_line(console)
        print_line(console, study_label(steps[0]["study_id"], steps[0]["study_name"]), "bold")
        most = max(step["reached"] for step in steps)
        lines = [
            [
                step["step"],
                f"{step['reached']:,}",
                "█" * round(BAR * step["reached"] / most),
                *_conversions(step),
                tenths(step["median_hours_from_previous"]),
                tenths(step["p90_hours_from_previous"]),
                *_dropped(step),
            ]
            for step in steps
        ]
        print_columns(console, STEPS, lines)
        print_line(
            console,
            "active, lost: people who reached the previous step but not this one. lost: in a terminal stage, with no incentive to claim. active: all others.",
            "dim",
        )
        if any(step["reached_before"] and step["reached_before"] < FEW for step in steps):
            print_line(console, f"In brackets, for fewer than {FEW} people: the 95% interval.", "dim")
        _render_incidence(self.incidence, console)
        _render_drop_off(self.drop_off, console)
        _render_paths(self.paths, console)


def funnel(connection: duckdb.DuckDBPyConnection, study: str) -> Funnel:
    """The funnel of a study.

    Raises:
        StudyflowError: the tables are not built, or `study` matches no study or several.
    """
    marts_as_of(connection)
    study_id = find_study(connection, study)
    steps = ask(connection, "funnel", study_id=study_id).materialized()
    others = [ask(connection, query, study_id=study_id).records() for query in ("incidence", "drop_off", "paths")]
    return Funnel(steps, *others)


def _conversions(step: dict[str, Any]) -> tuple[str, str]:
    before, of_first = step["reached_before"], f"{step['conversion_from_first']:.0%}"
    if step["reached_first"] < FEW:
        of_first = f"{step['reached']} of {step['reached_first']}"
    if not before:
        return "", of_first
    counts = f"{step['reached']:,} of {before:,}"
    if before < FEW:
        return f"{counts} ({100 * step['conversion_low']:.0f} to {step['conversion_high']:.0%})", of_first
    return f"{counts}, {step['conversion_from_previous']:.0%}", of_first


def _dropped(step: dict[str, Any]) -> tuple[str, str]:
    if step["reached_before"] is None:
        return "", ""
    return f"{step['dropped_active']:,}", f"{step['dropped_lost']:,}"


def _render_incidence(rows: list[Row], console: Console) -> None:
    known = [row for row in rows if row["completed_share"] is not None]
    if not known:
        return
    lines = [
        [
            several(row["days"], "day"),
            *(
                _band(row[f"{kind}_share"], row[f"{kind}_low"], row[f"{kind}_high"])
                for kind in ("completed", "type", "lost")
            ),
        ]
        for row in known
    ]
    print_line(console)
    print_columns(console, WITHIN, lines)
    print_line(
        console,
        "lost: in a terminal stage without having completed. same type: all studies of the same type. In brackets: the 95% interval.",
        "dim",
    )
    print_line(console, "People who were invited recently count only for the days since their invitation.", "dim")


def _band(share: float | None, low: float | None, high: float | None) -> str:
    """`51% (39 to 61%)`. The interval is left out if its ends are None."""
    if share is None:
        return ""
    return f"{share:.0%}" if low is None or high is None else f"{share:.0%} ({100 * low:.0f} to {high:.0%})"


def _render_drop_off(rows: list[dict[str, Any]], console: Console) -> None:
    if not rows:
        return
    lines = [
        [
            "" if before.get("step") == row["step"] else row["step"],
            row["status_label"],
            f"{row['participants']:,} of {row['dropped']:,}",
            "lost" if row["is_lost"] else "active",
        ]
        for before, row in zip([{}, *rows], rows, strict=False)
    ]
    print_line(console)
    print_columns(console, STOPS, lines)


def _render_paths(rows: list[dict[str, Any]], console: Console) -> None:
    lines = [
        [
            f"{row['participants']:,}",
            f"{row['share_of_study']:.0%}",
            _days(row["median_hours"]),
            _days(row["p90_hours"]),
            _leads_to(row),
            _days(row["median_hours_since"]),
            row["path_labels"] or f"{several(row['variants'], 'other path')} together",
        ]
        for row in rows
    ]
    print_line(console)
    print_columns(console, PATHS, lines)
    print_line(
        console,
        "median d, 90th pct d: days from the first change to the last status. waiting d: median days since then, on paths that have not ended.",
        "dim",
    )


def _days(hours: float | None) -> str:
    return tenths(None if hours is None else hours / 24)


def _leads_to(row: dict[str, Any]) -> str:
    if row["outcome"] is None:
        return f"{row['without_end']:,} not ended"
    return str(row["last_stage"] if row["outcome"] == "ended" else row["outcome"])
