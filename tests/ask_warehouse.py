"""A small warehouse to ask, with what a history can have: gaps, late and repeated deliveries, few people, hostile ids.

`python tests/ask_warehouse.py` writes the files in tests/golden/ask again. Read what changed in them before you commit it: people
see the same.
"""

import io
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from product import Product, compile_project
from rich.console import Console

from pipelines.ask.backlog import backlog
from pipelines.ask.funnel import funnel
from pipelines.ask.invitable import invitable
from pipelines.ask.sql import sql as run_sql
from pipelines.ask.stalled import stalled
from pipelines.ask.studies import studies
from pipelines.ask.warehouse import reading
from pipelines.ask.who import who
from pipelines.load.loader import load
from pipelines.warehouse import connect

GOLDEN = Path(__file__).parent / "golden" / "ask"
WIDTH = 100
AS_OF = datetime(2026, 7, 31, 12, tzinfo=UTC)
START = datetime(2026, 7, 1, 9, tzinfo=UTC)
# Clears the screen and turns text around, where a terminal gets to read it.
HOSTILE = "p-\x1b[2J\u202eevil"


class Answer(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Ask = Callable[..., Answer]
"""The command in the process of the tests: what the fixture `ask` gives."""

STUDIES: list[dict[str, Any]] = [
    {
        "study_id": "st-1",
        "study_name": "Onboarding, week 1",
        "incentive_cents": 5000,
        "currency": "EUR",
        "study_type": "interview",
        "closed_on": None,
    },
    {"study_id": "st-2", "study_name": "Onboarding, week 2", "closed_on": "2026-07-31"},
]
PEOPLE = [
    {"person_id": "person-2", "person_name": "Ada Lovelace", "email": "ada@example.com"},
    {"person_id": "person of p-3", "person_name": "Ada Palmer"},
    {"person_id": "person of q-00", "person_name": "Grace Hopper"},
    {"person_id": "person of q-01", "person_name": "grace hopper"},
]
LONG_WAY = [
    "NOT_STARTED",
    "INVITE_SENT",
    "SCREENER_STARTED",
    "SCREENER_COMPLETED",
    "SCREENER_QUALIFIED",
    "INTERVIEW_INVITE_SENT",
    "INTERVIEW_SCHEDULED",
    "INTERVIEW_COMPLETED",
    "INCENTIVE_SENT",
    "INCENTIVE_CLAIMED",
]


def line(participant: str, study: str, status: str, prior: str | None, days: float, **more: str) -> dict[str, Any]:
    """A webhook; `more` says person, or what an envelope says."""
    payload = {
        "_eventType": "participant.status_changed",
        "participantId": participant,
        "personId": more.pop("person", f"person of {participant}"),
        "studyId": study,
        "status": status,
        "priorStatus": prior,
        "updatedAt": (START + timedelta(days=days)).isoformat().replace("+00:00", "Z"),
    }
    return {**more, "payload": payload} if more else payload


def journey(participant: str, study: str, statuses: list[str], start: float, **more: str) -> list[dict[str, Any]]:
    """A webhook for each status, a day apart, none of them lost."""
    moves = zip(statuses, [None, *statuses], strict=False)
    return [
        line(participant, study, status, prior, start + place, **more) for place, (status, prior) in enumerate(moves)
    ]


LINES = [
    *journey("p-1", "st-1", LONG_WAY, 0),
    *journey("p-2", "st-1", LONG_WAY[:8], 1, person="person-2"),
    *journey("p-3", "st-1", LONG_WAY[:2], 2),
    *journey("p-4", "st-1", LONG_WAY[:1], 3),
    *journey(HOSTILE, "st-1", [*LONG_WAY[:2], "OPTED_OUT"], 3),
    # Lost: from invited to scheduled. The completion comes late, and twice; then they opt out, and are still owed.
    *journey("p-gap", "st-1", LONG_WAY[:2], 4),
    line("p-gap", "st-1", "INTERVIEW_SCHEDULED", "INTERVIEW_INVITE_SENT", 9),
    line("p-gap", "st-1", "INTERVIEW_COMPLETED", "INTERVIEW_SCHEDULED", 10, received_at="2026-07-13T12:00:00Z"),
    line("p-gap", "st-1", "INTERVIEW_COMPLETED", "INTERVIEW_SCHEDULED", 10, received_at="2026-07-14T12:00:00Z"),
    line("p-gap", "st-1", "OPTED_OUT", None, 12),
    *journey("p-5", "st-2", ["NOT_STARTED", "SURVEY_STARTED", "SURVEY_COMPLETED"], 27, person="person-2"),
    *[one for n in range(30) for one in journey(f"q-{n:02}", "st-3", LONG_WAY[: 2 + n % 3], n / 2)],
]


def make(product: Product, folder: Path, lines: list[dict[str, Any]] = LINES) -> Path:
    """A warehouse in the folder in which these lines are loaded and every model is built."""
    database, events = folder / "ask.duckdb", folder / "events.jsonl"
    events.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    with connect(database) as connection:
        product.prepare(connection)
        load(connection, [events])
        models = [model["name"] for model in product.models.values()]
        product.build(connection, *models, as_of=AS_OF, optional={"stg_studies": STUDIES, "stg_people": PEOPLE})
    return database


def pages(database: Path) -> dict[str, str]:
    """What a terminal shows, by the name of its golden file."""
    sql = "select study_id, study_name, completed, show_rate from marts.study_progress order by study_id"
    questions: dict[str, Any] = {
        "studies.txt": studies,
        "funnel.txt": lambda connection: funnel(connection, "st-1"),
        "funnel-of-many.txt": lambda connection: funnel(connection, "st-3"),
        "stalled.txt": stalled,
        "invitable.txt": lambda connection: invitable(connection).first(3),
        "backlog.txt": backlog,
        "who.txt": lambda connection: who(connection, "p-gap"),
        "who-person.txt": lambda connection: who(connection, "person-2"),
        "who-hostile.txt": lambda connection: who(connection, HOSTILE),
        "sql.txt": lambda connection: run_sql(connection, sql),
        "sql-wide.txt": lambda connection: run_sql(connection, "from marts.study_progress order by 1", 1),
    }
    pages = {}
    for name, question in questions.items():
        console = Console(width=WIDTH, file=io.StringIO())
        with reading(database) as connection:
            question(connection).render(console)
        pages[name] = console.file.getvalue()  # type: ignore[attr-defined]
    return pages


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as here:
        GOLDEN.mkdir(exist_ok=True)
        for name, text in pages(make(compile_project(Path(here)), Path(here))).items():
            (GOLDEN / name).write_text(text, encoding="utf-8")
            sys.stdout.write(f"== {name}\n{text}")
