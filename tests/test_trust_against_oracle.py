"""How far the history can be trusted, row by row as the oracle has it; and whether the estimate of losses is near."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from math import isclose
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import trust
from oracle.history import histories
from oracle.lines import Delivery, deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES, Study
from oracle.workspace import Workspace
from product import END_OF_TIME, Product, Row, rows
from strategies import START, as_ofs

from pipelines.generate import Recipe, generate

KEYS: Mapping[str, tuple[str, ...]] = {
    "feed_coverage": ("study_id",),
    "feed_totals": (),
    "feed_silence": ("scope", "study_id", "silent_since"),
    "gaps_weekly": ("study_id", "week"),
}


def agree(got: object, wanted: object) -> bool:
    """Rates are computed in another order, so their last digits may differ."""
    if isinstance(got, float) and isinstance(wanted, float | int):
        return isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-12)
    return got == wanted


def by_key(table: Iterable[Row], keys: Sequence[str]) -> dict[tuple[object, ...], Row]:
    """Rows by their key, which no two share."""
    listed = list(table)
    keyed = {tuple(row[key] for key in keys): row for row in listed}
    assert len(keyed) == len(listed)
    return keyed


def build_and_compare(product: Product, changes: Sequence[Delivery], workspace: Workspace) -> dict[str, list[Row]]:
    """Build the tables and compare every row and column; what they were."""
    studies = [{"study_id": study_id} | asdict(study) for study_id, study in workspace.studies.items()]
    how = {"as_of": workspace.as_of, "optional": {"stg_studies": studies}}
    with product.warehouse(changes, *KEYS, **how) as connection:
        return compare(connection, workspace)


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> dict[str, list[Row]]:
    """Compare every row and column of the tables of a built warehouse; what they were."""
    made = {table: rows(connection, f"audit.{table}") for table in KEYS}
    for table, keys in KEYS.items():
        ours, theirs = by_key(made[table], keys), by_key(getattr(trust, table)(workspace), keys)
        assert ours.keys() == theirs.keys(), table
        for key, row in theirs.items():
            assert ours[key].keys() == row.keys(), table
            differing = {
                name: (ours[key][name], value) for name, value in row.items() if not agree(ours[key][name], value)
            }
            assert not differing, (table, key)
    return made


@given(st.data())
def test_any_silences(product: Product, data: st.DataObject) -> None:
    """Two studies, one of which may be closed, that send webhooks for weeks and fall silent for hours to weeks, more than once."""
    hours = st.sampled_from([0.25, 1, 5, 12, 14, 23.999, 24, 36, 36.001, 60, 72, 109, 170, 700])
    changes = []
    for study in ("study-1", "study-2"):
        at = START + timedelta(minutes=data.draw(st.integers(0, 59)))
        for number, step in enumerate(data.draw(st.lists(hours, max_size=25))):
            at += timedelta(hours=step)
            status = data.draw(st.sampled_from(["INVITE_SENT", "CANCELLED"]))
            changes.append(Delivery(f"{study}-{number}", "person", study, status, None, at))
    as_of = data.draw(as_ofs(changes))
    closed_on = data.draw(st.sampled_from([None, (as_of + timedelta(days=1)).date(), as_of.date()]))
    studies = {"study-1": Study(closed_on=closed_on.isoformat() if closed_on else None)}
    build_and_compare(product, changes, Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=studies))


def test_a_feed_that_stops(product: Product) -> None:
    """What an operator must see: three weeks of every day, then nothing for more than half as long again."""
    changes = [
        Delivery(f"participant-{day}", "person", "study", "INVITE_SENT", None, START + timedelta(days=day))
        for day in range(21)
    ]
    for hours, found in ((36, []), (37, [("feed", None), ("study", "study")])):
        as_of = changes[-1].updated_at + timedelta(hours=hours)
        made = build_and_compare(product, changes, Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of))
        assert sorted((row["scope"], row["study_id"]) for row in made["feed_silence"]) == found


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


def test_an_empty_warehouse(product: Product) -> None:
    """Tables without rows, not errors."""
    build_and_compare(product, [], Workspace([], START))
