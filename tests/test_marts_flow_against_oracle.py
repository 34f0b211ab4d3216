"""The marts on funnels, stages and progress, row by row as the oracle has them. `test_any_history` does so for any history."""

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from oracle import marts
from oracle.history import histories
from oracle.lines import Delivery, deliveries, read_lines
from oracle.marts_study import standing_completions
from oracle.reference import DEFAULT_STATUSES, Study
from product import Product, Row, rows

from pipelines.settings import SAMPLE, parse_instant

GRAINS: Mapping[str, tuple[str, ...]] = {
    "study_funnel": ("study_id", "step"),
    "study_funnel_cohorts": ("study_id", "cohort_week", "step"),
    "study_drop_off": ("study_id", "step", "status"),
    "study_progress": ("study_id",),
    "study_peers": ("study_id", "measure"),
    "study_stage_daily": ("study_id", "day", "stage"),
    "stage_durations": ("study_id", "stage"),
    "status_durations": ("study_id", "status"),
    "ageing_participants": ("participant_id",),
}
MODELS = (*GRAINS, "unexpected_changes")
# Said of a row besides what the oracle computes: labels, and what a model of its own decides.
NOT_IN_ORACLE = {"study_name", "status_label", "current_status_label", "likely_manual_completions", "place"}


def comparable(value: object) -> object:
    """Floats may differ in their last bits, because hours are divided out in another order."""
    return pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value


def by_grain(table: Iterable[Row], grain: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    """Rows by their key, which no two share."""
    listed = list(table)
    keyed = {tuple(row[column] for column in grain): row for row in listed}
    assert len(keyed) == len(listed)
    return keyed


def worst_first(row: Row) -> tuple[object, ...]:
    """What orders study_peers: a value whose median is 0 is worse than any that can be divided."""
    times = row["times_worse"]
    values = (row[f"{unit}_of_{whose}"] for unit in ("share", "days") for whose in ("study", "type"))
    is_infinite = times is None and any(values)
    return not row["is_comparable"], not is_infinite, 1 if times is None else -times, row["study_id"], row["measure"]


def check(product: Product, changes: Sequence[Delivery], report: marts.Workspace) -> None:
    """Build the marts and compare every row and column."""
    optional = {"stg_studies": [{"study_id": name} | asdict(study) for name, study in report.studies.items()]}
    how: dict[str, Any] = {
        "as_of": report.as_of,
        "optional": optional,
    }
    with product.warehouse(changes, *MODELS, **how) as connection:
        compare(connection, report)


def compare(connection: duckdb.DuckDBPyConnection, report: marts.Workspace) -> None:
    """Compare every row and column of the marts of a built warehouse."""
    for mart, grain in GRAINS.items():
        made = by_grain(rows(connection, f"marts.{mart}"), grain)
        wanted = by_grain(getattr(marts, mart)(report), grain)
        assert made.keys() == wanted.keys(), mart
        for key, row in wanted.items():
            ours = {column: value for column, value in made[key].items() if column not in NOT_IN_ORACLE}
            assert ours == {column: comparable(value) for column, value in row.items()}, (mart, key)
    peers = sorted(rows(connection, "marts.study_peers"), key=lambda row: row["place"])
    assert peers == sorted(peers, key=worst_first)
    unexpected = {
        (row["participant_id"], row["sequence_number"]) for row in rows(connection, "audit.unexpected_changes")
    }
    progress = by_grain(rows(connection, "marts.study_progress"), GRAINS["study_progress"])
    for study_id, members in report.by_study().items():
        completions = (
            (one.participant_id, number) for one in members for number in standing_completions(report, one).values()
        )
        by_hand = sum(completion in unexpected for completion in completions)
        assert progress[study_id,]["likely_manual_completions"] == by_hand


def test_an_empty_warehouse(product: Product) -> None:
    """Tables without rows, not errors."""
    check(product, [], marts.Workspace([], datetime.fromisoformat("2026-08-01T00:00:00Z")))


def test_the_sample(product: Product) -> None:
    """A thousand participants: groups large enough for medians and percentiles to interpolate."""
    changes = list(dict.fromkeys(deliveries(read_lines(sample_files(), DEFAULT_STATUSES))))
    as_of = parse_instant((SAMPLE / "as_of.txt").read_text(encoding="utf-8").strip())
    placed = histories(changes, as_of, DEFAULT_STATUSES)
    check(product, changes, marts.Workspace(placed, as_of, studies=sample_studies()))


def sample_files() -> dict[str, bytes]:
    """The sample's content, by name of file."""
    return {path.name: content(path) for path in sorted(SAMPLE.glob("events-*"))}


def content(path: Path) -> bytes:
    """What is in a file that may be compressed."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def sample_studies() -> dict[str, Study]:
    """What the sample's studies.csv says."""
    with (SAMPLE / "studies.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["study_id"]: Study(
                study_type=row["study_type"] or None,
                incentives_enabled={"true": True, "false": False}.get(row["incentives_enabled"]),
                incentive_cents=int(row["incentive_cents"]) if row["incentive_cents"] else None,
                participation_limit=int(row["participation_limit"]) if row["participation_limit"] else None,
                closed_on=row["closed_on"] or None,
            )
            for row in csv.DictReader(lines)
        }
