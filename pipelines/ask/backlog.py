"""`studyflow backlog`: who is owed an incentive, the most urgent first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from rich.console import Console

from pipelines.ask.find import find_study
from pipelines.ask.show import Headings, amount, moment, more, put_lines, say, tenths
from pipelines.ask.warehouse import QueryResult, ask, marts_as_of
from pipelines.errors import UsageError

COLUMNS = Headings(
    ("participant", "study", "state", "since", "days", "amount", ""),
    right=("days", "amount"),
    shrink="study",
    styles={"": "red"},
)

MARKS = {"is_overdue": "overdue", "is_hidden": "hidden", "is_study_closed": "reopen first"}
"""What is said of a debt, beside it."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """A row for each participant who was asked for, and the sums of all of them."""

    as_of: datetime
    totals: dict[str, Any]
    rows: QueryResult

    def as_dict(self, limit: int | None) -> dict[str, Any]:
        """The backlog as JSON has it."""
        rows = self.rows.first(limit).records(without={"as_of"})
        return {"as_of": self.as_of, "totals": self.totals, "participants": rows}


def backlog(
    connection: duckdb.DuckDBPyConnection, study: str | None, state: str | None, *, overdue: bool, hidden: bool
) -> Backlog:
    """The backlog of one study or all, in one state or any, perhaps only what is overdue or hidden.

    Raises:
        StudyflowError: the tables are not built, or there is no such study.
        UsageError: there is no such state.
    """
    as_of = marts_as_of(connection)
    states = [known for (known,) in ask(connection, "backlog_states").rows]
    if state is not None and state not in states:
        msg = f"unknown backlog state {state!r}; one of: {', '.join(states)}"
        raise UsageError(msg)
    study_id = None if study is None else find_study(connection, study)
    ask(connection, "backlog", study_id=study_id, backlog_state=state, only_overdue=overdue, only_hidden=hidden)
    [totals] = ask(connection, "backlog_totals").records()
    return Backlog(as_of, totals, ask(connection, "backlog_rows"))


def render(found: Backlog, console: Console, limit: int) -> None:
    """Print who is owed what, and the sums."""
    say(console, f"as of {moment(found.as_of)} UTC", "dim")
    say(console)
    lines = [
        [
            row["participant_id"],
            row["study_name"] or row["study_id"],
            row["backlog_state"],
            f"{row['owed_since']:%Y-%m-%d}",
            tenths(row["age_days"]),
            amount(row["amount_cents"], row["currency"]),
            ", ".join(mark for flag, mark in MARKS.items() if row[flag]),
        ]
        for row in found.rows.first(limit).records()
    ]
    if lines:
        put_lines(console, COLUMNS, lines)
    if found.totals["participants"] > limit:
        more(console, limit)
    say(console, _sums(found.totals), "bold")
    if found.totals["states"] > 1:
        say(console, "Of all states. The report sums what was never sent: --state not_sent", "dim")


def _sums(totals: dict[str, Any]) -> str:
    said = f"{totals['participants']:,} participants, {totals['overdue']:,} overdue, {totals['hidden']:,} hidden"
    if not totals["participants"]:
        return "Nobody."
    amounts = [amount(one["amount_cents"], one["currency"]) for one in totals["amounts"] or ()]
    known = f"{said}; {', '.join(amounts) or 'nothing'} in all"
    unknown = totals["without_amount"]
    return f"{known}, and {unknown:,} in studies whose amount is not known" if unknown else known
