"""`studyflow who`: the current status of a participant, and every change that led to it, with gaps."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

import duckdb
from rich.console import Console

from pipelines.ask.backlog import MARKS
from pipelines.ask.find import find_participants
from pipelines.ask.show import Headings, amount, moment, print_columns, print_fields, print_line, study_label
from pipelines.ask.stream import csv_lines, document
from pipelines.ask.warehouse import QueryResult, ask, marts_as_of
from pipelines.plain import several

GAP = "-- gap: at least one webhook is missing here --"
COLUMNS = Headings(
    ("#", "when (UTC)", "status", "stage", "delivered", "late by", "first read from"),
    right=("#", "delivered", "late by"),
)


@dataclass(frozen=True, slots=True)
class History:
    """The participants who match, and their changes in order, including inferred ones."""

    as_of: datetime
    participants: list[dict[str, Any]]
    changes: QueryResult

    def as_csv(self) -> Iterator[str]:
        """A line for each change, with `as_of`."""
        return csv_lines(self.changes)

    def as_json(self) -> Iterator[str]:
        """The participants, each with their changes."""
        changes = self._changes_by_participant(without={"person_id", "study_id", "study_name", "as_of"})
        participants = [{**row, "changes": changes[row["participant_id"]]} for row in self.participants]
        return document({"as_of": self.as_of, "participants": participants})

    def _changes_by_participant(self, without: Collection[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """The changes by participant, without some columns."""
        changes: dict[str, list[dict[str, Any]]] = {}
        for change in self.changes.records(without):
            changes.setdefault(change.pop("participant_id"), []).append(change)
        return changes

    def render(self, console: Console) -> None:
        """Print each participant: the current status, then every change."""
        print_line(console, f"as of {moment(self.as_of)} UTC", "dim")
        changes = self._changes_by_participant()
        for participant in self.participants:
            print_line(console)
            _render_status(participant, console)
            print_line(console)
            _render_changes(changes[participant["participant_id"]], console)


def who(connection: duckdb.DuckDBPyConnection, text: str) -> History:
    """The history of a participant, or of all participants of a person. `text` is an id, a name or a part of either.

    Raises:
        StudyflowError: the tables are not built, or the text matches nobody or several people.
    """
    as_of = marts_as_of(connection)
    ids = find_participants(connection, text)
    participants = ask(connection, "who", participant_ids=ids).records()
    return History(as_of, participants, ask(connection, "who_changes", participant_ids=ids))


def _render_status(row: dict[str, Any], console: Console) -> None:
    print_line(console, row["participant_id"], "bold")
    print_fields(
        console,
        {
            "study": study_label(row["study_id"], row["study_name"]),
            "person": f"{row['person_name']} ({row['person_id']})" if row["person_name"] else row["person_id"],
            "contact": _contact(row),
            "status": f"{row['current_status_label']}, since {moment(row['status_since'])}",
            "stage": row["current_stage"] + (f", since {moment(row['stage_since'])}" if row["stage_since"] else ""),
            "incentive": _incentive(row),
            "webhooks": _webhooks(row),
        },
    )


def _contact(row: dict[str, Any]) -> str:
    until = row["cooldown_ends_at"]
    return f"{row['contact_status']}, cooldown until {moment(until)}" if until else str(row["contact_status"])


def _incentive(row: dict[str, Any]) -> str:
    if not row["backlog_state"]:
        return row["incentive_status"] or ""
    marks = [mark for flag, mark in MARKS.items() if row[flag]]
    owed = [f"{amount(row['amount_cents'], row['currency'])} owed"] if row["amount_cents"] is not None else []
    return ", ".join(
        [row["incentive_status"] or row["backlog_state"], f"since {moment(row['owed_since'])}", *owed, *marks]
    )


def _webhooks(row: dict[str, Any]) -> str:
    gaps = several(row["missing_changes"], "gap") if row["missing_changes"] else "no gap"
    return f"{several(row['status_changes'], 'change')}, {gaps}"


def _render_changes(changes: list[dict[str, Any]], console: Console) -> None:
    lines: list[str | list[str]] = []
    for change in changes:
        if change["is_gap_before"]:
            lines.append(GAP)
        source = change["source_file"]
        lines.append(
            [
                str(change["sequence_number"]),
                moment(change["occurred_at"], seconds=True),
                change["status_label"] or change["status"],
                change["stage"],
                "inferred" if change["is_inferred"] else f"{change['deliveries']:,}",
                _late(change["late_hours"]),
                f"{PurePath(source).name}:{change['line_number']}" if source else "",
            ]
        )
    print_columns(console, COLUMNS, lines)


def _late(hours: float | None) -> str:
    """A delay in the largest unit that fits; empty if the time of receipt is unknown."""
    if hours is None:
        return ""
    seconds = hours * 3600
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
