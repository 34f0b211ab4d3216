"""Silences as the oracle has them, and whether the estimate of losses is near."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from against_oracle import settings_of, trust
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.history import histories
from oracle.lines import Delivery, deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES, Study
from oracle.workspace import Workspace
from product import END_OF_TIME, Product, Row, rows
from strategies import START, as_ofs

from pipelines.generate import Recipe, generate


def compare(product: Product, changes: Sequence[Delivery], workspace: Workspace) -> list[Row]:
    """Build the tables and compare; the silences."""
    with product.warehouse(changes, *trust.KEYS, **settings_of(workspace)) as connection:
        trust.compare(connection, workspace)
        return rows(connection, "audit.feed_silence")


@settings(max_examples=settings().max_examples // 2)
@given(st.data())
def test_any_silences(product: Product, data: st.DataObject) -> None:
    """Studies, one of which may be closed, that send webhooks for weeks and fall silent for hours to weeks, more than once."""
    hours = st.sampled_from([0.25, 1, 5, 12, 14, 23.999, 24, 36, 36.001, 60, 72, 109, 170, 700])
    changes = []
    for study in ("study-1", "study-2", "study-3", "study-4"):
        at = START + timedelta(minutes=data.draw(st.integers(0, 59)))
        for number, step in enumerate(data.draw(st.lists(hours, max_size=25))):
            at += timedelta(hours=step)
            status = data.draw(st.sampled_from(["INVITE_SENT", "CANCELLED"]))
            changes.append(Delivery(f"{study}-{number}", "person", study, status, None, at))
    as_of = data.draw(as_ofs(changes))
    closed_on = data.draw(st.sampled_from([None, (as_of + timedelta(days=1)).date(), as_of.date()]))
    studies = {"study-1": Study(closed_on=closed_on.isoformat() if closed_on else None)}
    compare(product, changes, Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=studies))


def test_a_feed_that_stops(product: Product) -> None:
    """What an operator must see: three weeks of every day, then nothing for more than half as long again."""
    changes = [
        Delivery(f"participant-{day}", "person", "study", "INVITE_SENT", None, START + timedelta(days=day))
        for day in range(21)
    ]
    for hours, found in ((36, []), (37, [("feed", None), ("study", "study")])):
        as_of = changes[-1].updated_at + timedelta(hours=hours)
        silences = compare(product, changes, Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of))
        assert sorted((row["scope"], row["study_id"]) for row in silences) == found


@pytest.mark.parametrize("lost", [0.01, 0.05, 0.2])
def test_the_estimate_of_losses_is_near(product: Product, tmp_path: Path, lost: float) -> None:
    """What docs/decisions.md says of it: what was deleted is within the interval. One seed; it may miss one in twenty."""
    everything = made_up(tmp_path)
    dice = random.Random(1)
    kept = [change for change in everything if dice.random() >= lost]
    with product.warehouse(kept, "feed_totals", as_of=END_OF_TIME) as connection:
        [found] = rows(connection, "audit.feed_totals")
    assert found["lost_low"] < len(everything) - len(kept) < found["lost_high"]
    assert found["older_than_feed"] < 0.01 * found["participants"], "chance is not taken for an older history"


def test_what_is_older_than_the_feed_is_not_lost(product: Product, tmp_path: Path) -> None:
    """A feed that is switched on while studies run: their participants are known from somewhere in the middle on."""
    everything = made_up(tmp_path)
    began = datetime.fromisoformat("2026-06-21T00:00:00Z")
    since = [change for change in everything if change.updated_at >= began]
    dice = random.Random(1)
    kept = [change for change in since if dice.random() >= 0.05]
    were_there = {change.participant_id for change in everything if change.updated_at < began}
    older = len(were_there & {change.participant_id for change in kept})
    with product.warehouse(kept, "feed_totals", as_of=END_OF_TIME) as connection:
        [found] = rows(connection, "audit.feed_totals")
    assert found["older_than_feed"] == pytest.approx(older, rel=0.1)
    assert found["lost_low"] < len(since) - len(kept) < found["lost_high"]


def made_up(folder: Path) -> list[Delivery]:
    """Six studies of which nothing is lost."""
    made = generate(Recipe(participants=1500, studies=6, lost=0, malformed=0, duplicates=0), folder / "raw")
    files = {path.name: path.read_bytes() for path in made.files}
    return list(dict.fromkeys(deliveries(read_lines(files, DEFAULT_STATUSES))))
