"""`studyflow backlog`: who is owed an incentive, the most urgent first."""

from typing import Any

import duckdb

from pipelines.ask.find import only_study
from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line, amount, tenths
from pipelines.ask.warehouse import ask, marts_as_of
from pipelines.errors import UsageError
from pipelines.plain import several

COLUMNS = Headings(
    ("participant", "study", "state", "since", "days", "amount", ""),
    right=("days", "amount"),
    shrink="study",
    styles={"": "red"},
)

MARKS = {"is_overdue": "overdue", "is_hidden": "hidden", "is_study_closed": "reopen first"}
"""What the last column says for each flag of an incentive."""
ALL_STATES = "This total covers all states. The report's covers incentives that were never sent: --state not_sent"


def backlog(
    connection: duckdb.DuckDBPyConnection,
    study: str | None = None,
    state: str | None = None,
    *,
    overdue: bool = False,
    hidden: bool = False,
) -> Listing:
    """The incentive backlog, optionally of one study, in one state, or only overdue or hidden incentives.

    Raises:
        StudyflowError: the tables are not built, or `study` matches no study or several.
        UsageError: the state is unknown.
    """
    as_of = marts_as_of(connection)
    states = [known for (known,) in ask(connection, "backlog_states").rows]
    if state is not None and state not in states:
        msg = f"unknown backlog state {state!r}; one of: {', '.join(states)}"
        raise UsageError(msg)
    study_id = only_study(connection, study)
    ask(connection, "backlog", study_id=study_id, backlog_state=state, only_overdue=overdue, only_hidden=hidden)
    [totals] = ask(connection, "backlog_totals").records()
    notes = [(_sums(totals), "bold")]
    if totals["states"] > 1:
        notes.append((ALL_STATES, "dim"))
    return Listing(as_of, "participants", ask(connection, "listing"), COLUMNS, _line, totals, notes)


def _line(row: dict[str, Any]) -> Line:
    return [
        row["participant_id"],
        row["study_name"] or row["study_id"],
        row["backlog_state"],
        f"{row['owed_since']:%Y-%m-%d}",
        tenths(row["age_days"]),
        amount(row["amount_cents"], row["currency"]),
        ", ".join(mark for flag, mark in MARKS.items() if row[flag]),
    ]


def _sums(totals: dict[str, Any]) -> str:
    if not totals["participants"]:
        return "Nobody."
    sums = totals["amounts"] or ()
    without_currency = " without a currency" if len(sums) > 1 else ""
    amounts = [
        amount(row["amount_cents"], row["currency"]) + ("" if row["currency"] else without_currency) for row in sums
    ]
    known = (
        f"{totals['participants']:,} participants, {totals['overdue']:,} overdue, {totals['hidden']:,} hidden; "
        f"{', '.join(amounts) or 'nothing'} in total"
    )
    unknown = totals["without_amount"]
    return f"{known}, plus {several(unknown, 'participant')} in studies without a known amount" if unknown else known
