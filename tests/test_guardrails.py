"""What the audit tables on recruiting warn of, on histories in which it is plain what goes wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from oracle.lines import Delivery
from product import Product, rows

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
AS_OF = datetime(2026, 7, 31, 12, tzinfo=UTC)
TARGETS = {
    **dict.fromkeys(("watched", "paused", "young", "right"), 100),
    "burst": 10,
    **dict.fromkeys(("full", "filled later that day", "closed"), 2),
}
STUDIES = [
    # of "burst" nobody has answered yet, so nothing tells its type
    {
        "study_id": study,
        "study_type": None if study == "burst" else "survey",
        "target": target,
        "closed_on": "2026-07-30" if study == "closed" else None,
    }
    for study, target in TARGETS.items()
]


def invited(study: str, number: int, at: datetime, completed: int, after: float = 20) -> Iterator[Delivery]:
    """So many people invited within an hour, the first of whom complete some hours later."""
    for place in range(number):
        name, start = f"{study} {at:%m-%d %H} {place}", at + timedelta(minutes=place * 60 / number)
        statuses = ["INVITE_SENT", *(["SURVEY_STARTED", "SURVEY_COMPLETED"] if place < completed else [])]
        for step, (before, status) in enumerate(zip([None, *statuses], statuses, strict=False)):
            when = start + (timedelta(hours=after) if step else timedelta()) + timedelta(minutes=step)
            yield Delivery(name, name, study, status, before, when)


def history() -> Iterator[Delivery]:
    """A year of a survey to which a third or a half answers within a day; then what tells the guardrails apart."""
    for week in range(6):
        for day in range(5):
            yield from invited("watched", 6, MONDAY + timedelta(days=7 * week + day), 3)
    last = MONDAY + timedelta(weeks=8)
    for day in range(3):
        yield from invited("watched", 10, last + timedelta(days=day), 1)  # half as many, and fewer
        yield from invited("paused", 10, last + timedelta(days=day), 0)  # a new study in which nobody answers
        yield from invited("young", 6, last + timedelta(days=day), 3)
    yield from invited("right", 200, last + timedelta(days=1), 80)
    yield from invited("burst", 3000, AS_OF - timedelta(hours=3), 0)
    yield from invited("no target", 300, AS_OF - timedelta(hours=3), 0)
    for study in ("full", "closed"):
        yield from invited(study, 2, last, 2)
        yield from invited(study, 5, last + timedelta(days=2), 0)
    yield from invited("filled later that day", 2, last, 2, 50)
    yield from invited("filled later that day", 5, last + timedelta(days=2), 0)


@pytest.fixture(scope="module")
def warned(product: Product) -> Iterator[duckdb.DuckDBPyConnection]:
    """Both tables, made once."""
    models = ("steps_below_usual", "invited_too_many")
    with product.warehouse(list(history()), *models, as_of=AS_OF, optional={"stg_studies": STUDIES}) as connection:
        yield connection


def test_three_thousand_instead_of_thirty(warned: duckdb.DuckDBPyConnection) -> None:
    """Two hundred for a hundred places are right where half completes; a full study invites in vain, one that fills later does not."""
    found = {row["study_id"]: row for row in rows(warned, "audit.invited_too_many")}
    assert {study: (row["reason"], row["invited"], row["places_left"]) for study, row in found.items()} == {
        "burst": ("burst", 3000, 10),
        "full": ("full", 5, 0),
    }
    earlier = [one for one in history() if one.status == "INVITE_SENT" and one.updated_at < AS_OF - timedelta(hours=4)]
    completed = [one for one in history() if one.status == "SURVEY_COMPLETED"]
    assert found["burst"]["expected"] == pytest.approx(3000 * len(completed) / len(earlier), rel=0.05)
    assert found["burst"]["overshoot"] == pytest.approx(found["burst"]["expected"] - 10)


def test_a_step_at_which_fewer_go_on(warned: duckdb.DuckDBPyConnection) -> None:
    """By what was usual in the study, or in its type where it is new. Three thousand who have had no day are not judged."""
    found = {row["study_id"]: row for row in rows(warned, "audit.steps_below_usual")}
    assert {study: (row["step"], row["arrived"], row["went_on"], row["rests_on"]) for study, row in found.items()} == {
        "watched": ("invited", 30, 3, "study"),
        "paused": ("invited", 30, 0, "type"),
    }
    assert found["watched"]["since"] == MONDAY + timedelta(weeks=8)
    assert found["watched"]["expected"] == pytest.approx(15)
    # By hand: of 180, 90 went on, and of the type as many, which count for 30; its lower bound with 80% confidence, after Wilson.
    z = 0.8416212335729143
    low = (105 + z * z / 2 - z * (105 * 105 / 210 + z * z / 4) ** 0.5) / (210 + z * z)
    likelier = 0.5**3 * ((1 - low / 2) / (1 - low)) ** 27
    assert found["watched"]["times_likelier"] == pytest.approx(likelier, abs=0.01)
