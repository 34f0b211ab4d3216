"""Small warehouses to export, made by hand: the marts as their contract says, with the people a test needs.

`python tests/export_warehouse.py` writes the files in tests/golden/exports and pseudonymised again. Read what changed in them before
you commit it: those who receive the tables will see the same.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml  # type: ignore[import-untyped]

from pipelines.export import ExportOptions, Pseudonyms, export
from pipelines.settings import PROJECT, REFERENCE
from pipelines.warehouse import connect

GOLDEN = Path(__file__).parent / "golden" / "exports"
PSEUDONYMISED = GOLDEN.with_name("pseudonymised")
PSEUDONYMS = Pseudonyms(b"sixteen bytes or more")
MONDAY = datetime(2026, 7, 27, 9, tzinfo=UTC)
FORMULA = '=HYPERLINK("https://example.org","open")'
CONTRACT = {
    column["name"]: column["data_type"]
    for column in yaml.safe_load((PROJECT / "models/marts/participants.yml").read_text(encoding="utf-8"))["models"][0][
        "columns"
    ]
}
with (REFERENCE / "participant_statuses.csv").open(encoding="utf-8", newline="") as reference_file:
    STATUSES = {row["status"]: row for row in csv.DictReader(reference_file)}


def person(participant_id: str, study_id: str, status: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row of the mart. `more` says what is not as it is for most."""
    reference = STATUSES[status]
    return {
        "participant_id": participant_id,
        "person_id": f"person of {participant_id}",
        "study_id": study_id,
        "study_type": "interview",
        "current_status": status,
        "current_status_label": reference["label"],
        "current_stage": reference["stage"],
        "is_terminal": reference["stage"] in {"Done", "Cancelled"},
        "status_since": MONDAY + timedelta(days=1, milliseconds=250),
        "first_seen_at": MONDAY,
        "last_changed_at": MONDAY + timedelta(days=1, milliseconds=250),
        "furthest_step": reference["funnel_step"],
        "incentive_status": None,
        "status_changes": 2,
        "missing_changes": 0,
    } | more


# Someone in each stage but one, and ids that a webhook may well hold and a file name or spreadsheet must not.
PEOPLE = [
    person("p-1", "st-1", "INVITE_SENT", status_changes=1, first_seen_at=MONDAY - timedelta(days=400)),
    person("p-2", "st-1", "SCREENER_STARTED", last_changed_at=MONDAY + timedelta(days=3, microseconds=1)),
    person("p-10", "st-1", "SCREENER_QUALIFIED", missing_changes=1),
    person("p-3", "st-1", "INTERVIEW_COMPLETED", incentive_status="Incentive Not Sent"),
    person("p-4", "st-1", "INCENTIVE_CLAIMED", incentive_status="Incentive Claimed"),
    person("p-5", "st-1", "OPTED_OUT", incentive_status="Incentive Not Sent", furthest_step="activity_completed"),
    person(FORMULA, "../../st-1", "NOT_STARTED", person_id=" -1+1", study_type="survey"),
    person("p-6", "../../st-1", "SURVEY_COMPLETED", person_id='comma, "quote" and\nline', study_type="survey"),
    person("p-7", "../../st-1", "NOT_ELIGIBLE", person_id="Zoë 佐藤", study_type="survey"),
    person("p-8", "../../st-1", "NOT_STARTED", person_id="\u200b\uff1d1", study_type="survey"),
]


def fill(connection: duckdb.DuckDBPyConnection, people: Iterable[dict[str, Any]]) -> None:
    """Make the two tables that an export reads."""
    connection.execute("create schema if not exists marts; create schema if not exists reference")
    columns = ", ".join(f"{name} {kind}" for name, kind in CONTRACT.items())
    connection.execute(f"create or replace table marts.participants ({columns})")
    connection.execute(f"create or replace table reference.stages as from read_csv('{REFERENCE / 'stages.csv'}')")
    rows = list(people)
    if rows:
        connection.register("given", pa.Table.from_pylist(rows))
        connection.execute("insert into marts.participants by name select * from given")
        connection.unregister("given")


@contextmanager
def warehouse(people: Iterable[dict[str, Any]] = PEOPLE) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory that has these participants."""
    with connect(Path(":memory:")) as connection:
        fill(connection, people)
        yield connection


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder by its relative path, and what is in it. Empty folders end in a slash."""
    return {
        f"{path.relative_to(folder).as_posix()}{'/' if path.is_dir() else ''}": b""
        if path.is_dir()
        else path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir() or not any(path.iterdir())
    }


if __name__ == "__main__":
    with warehouse() as golden:
        export(golden, GOLDEN, ExportOptions(by_study=True))
        export(golden, PSEUDONYMISED, ExportOptions(pseudonyms=PSEUDONYMS))
