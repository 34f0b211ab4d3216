"""`studyflow contacted`: who is over a contact limit now, the most recently exceeded first."""

from typing import Any

import duckdb

from pipelines.ask.find import only_study
from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line, moment
from pipelines.ask.warehouse import ask, marts_as_of
from pipelines.plain import several

COLUMNS = Headings(
    ("person", "name", "last exceeded (UTC)", "emails in 30 days", "contact", "limit"), right=("emails in 30 days",)
)


def contacted(connection: duckdb.DuckDBPyConnection, study: str | None = None) -> Listing:
    """Everyone who is over a limit, or only people in one study.

    Raises:
        StudyflowError: the tables are not built, or `study` matches no study or several.
    """
    as_of = marts_as_of(connection)
    rows = ask(connection, "contacted", study_id=only_study(connection, study)).materialized()
    people = len(list(rows.rows))
    note = f"{several(people, 'person', 'people')}. Don't contact them until they are back under the limit."
    notes = [(note if people else "Nobody.", "bold")]
    return Listing(as_of, "people", rows, COLUMNS, _line, {"people": people}, notes)


def _line(row: dict[str, Any]) -> Line:
    return [
        row["person_id"],
        row["person_name"] or "",
        moment(row["last_exceeded_at"]),
        f"{row['contacts_30d']:,}",
        row["contact_status"],
        row["limits"],
    ]
