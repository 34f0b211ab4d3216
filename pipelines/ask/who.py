"""`studyflow who`: where a participant stands, and every change that led there, gaps and all."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

import duckdb
from rich.console import Console

from pipelines.ask.backlog import MARKS
from pipelines.ask.find import find_participants
from pipelines.ask.show import Headings, amount, moment, put_fields, put_lines, say, study
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
    """A row for each participant who is meant, and one for each of their changes, inferred ones included, in order."""

    as_of: datetime
    participants: list[dict[str, Any]]
    changes: QueryResult

    def as_csv(self) -> Iterator[str]:
        """A line for each change; every one has `as_of`."""
        return csv_lines(self.changes)

    def as_json(self) -> Iterator[str]:
        """The participants, each with their changes."""
        of = self._changes_of(without={"person_id", "study_id", "study_name", "as_of"})
        participants = [{**one, "changes": of[one["participant_id"]]} for one in self.participants]
        return document({"as_of": self.as_of, "participants": participants})

    def _changes_of(self, without: Collection[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """The changes by participant, without some columns."""
        of: dict[str, list[dict[str, Any]]] = {}
        for change in self.changes.records(without):
            of.setdefault(change.pop("participant_id"), []).append(change)
        return of

    def render(self, console: Console) -> None:
        """Print each participant: how they stand, then every change."""
        say(console, f"as of {moment(self.as_of)} UTC", "dim")
        of = self._changes_of()
        for one in self.participants:
            say(console)
            _render_standing(one, console)
            say(console)
            _render_changes(of[one["participant_id"]], console)


def who(connection: duckdb.DuckDBPyConnection, asked: str) -> History:
    """The history of a participant, or of all participants that a person is, by an id, a name or a part of either.

    Raises:
        StudyflowError: the tables are not built, nobody is meant, or several people may be.
    """
    as_of = marts_as_of(connection)
    ids = find_participants(connection, asked)
    participants = ask(connection, "who", participant_ids=ids).records()
    return History(as_of, participants, ask(connection, "who_changes", participant_ids=ids))


def _render_standing(one: dict[str, Any], console: Console) -> None:
    say(console, one["participant_id"], "bold")
    put_fields(
        console,
        {
            "study": study(one["study_id"], one["study_name"]),
            "person": f"{one['person_name']} ({one['person_id']})" if one["person_name"] else one["person_id"],
            "contact": _contact(one),
            "status": f"{one['current_status_label']}, since {moment(one['status_since'])}",
            "stage": one["current_stage"] + (f", since {moment(one['stage_since'])}" if one["stage_since"] else ""),
            "incentive": _incentive(one),
            "webhooks": _webhooks(one),
        },
    )


def _contact(one: dict[str, Any]) -> str:
    until = one["cooldown_ends_at"]
    return f"{one['contact_status']}, cooldown until {moment(until)}" if until else str(one["contact_status"])


def _incentive(one: dict[str, Any]) -> str:
    if not one["backlog_state"]:
        return one["incentive_status"] or ""
    marks = [mark for flag, mark in MARKS.items() if one[flag]]
    owed = [f"{amount(one['amount_cents'], one['currency'])} owed"] if one["amount_cents"] is not None else []
    return ", ".join(
        [one["incentive_status"] or one["backlog_state"], f"since {moment(one['owed_since'])}", *owed, *marks]
    )


def _webhooks(one: dict[str, Any]) -> str:
    gaps = several(one["missing_changes"], "gap") if one["missing_changes"] else "no gap"
    return f"{several(one['status_changes'], 'change')}, {gaps}"


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
    put_lines(console, COLUMNS, lines)


def _late(hours: float | None) -> str:
    """In the unit that says most; nothing where no envelope says when it was received."""
    if hours is None:
        return ""
    seconds = hours * 3600
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
