"""`studyflow invitable`: who may be invited now without exceeding a contact limit."""

from typing import Any

import duckdb

from pipelines.ask.find import only_study
from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line
from pipelines.ask.warehouse import ask, marts_as_of
from pipelines.plain import several

COLUMNS = Headings(
    ("person", "in a study now", "last contact", "days ago", "emails in 90 days", "response rate", "no-shows"),
    right=("days ago", "emails in 90 days", "response rate", "no-shows"),
)


def invitable(connection: duckdb.DuckDBPyConnection, study: str | None = None) -> Listing:
    """Everyone who may be invited now, or only those in the stage Not Started of one study.

    Raises:
        StudyflowError: the tables are not built, or `study` matches no study or several.
    """
    as_of = marts_as_of(connection)
    study_id = only_study(connection, study)
    ask(connection, "invitable", study_id=study_id)
    [totals] = ask(connection, "invitable_totals").records()
    people, inactive = totals["people"], totals["active_in_no_study"]
    note = f"{several(people, 'person', 'people')}; {inactive:,} of them not active in any study."
    note = note if people else "Nobody."
    return Listing(as_of, "people", ask(connection, "listing"), COLUMNS, _line, totals, [(note, "bold")])


def _line(row: dict[str, Any]) -> Line:
    contacted, answered = row["last_contact_at"], row["response_rate"]
    return [
        row["person_id"],
        "yes" if row["is_active_in_study"] else "",
        f"{contacted:%Y-%m-%d}" if contacted else "never",
        f"{row['days_since_contact']:,}" if contacted else "",
        f"{row['contacts_90d']:,}",
        f"{answered:.0%} of {row['studies_invited']:,}" if answered is not None else "",
        f"{row['no_shows']:,}",
    ]
