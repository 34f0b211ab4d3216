"""The marts on funnels, stages and progress, row by row as the oracle has them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pytest
from oracle import marts
from oracle.marts_study import standing_completions
from oracle.workspace import Workspace
from product import Row, rows

GRAINS: Mapping[str, tuple[str, ...]] = {
    "study_funnel": ("study_id", "step"),
    "study_funnel_cohorts": ("study_id", "cohort_week", "step"),
    "study_drop_off": ("study_id", "step", "status"),
    "study_progress": ("study_id",),
    "study_paths": ("study_id", "place"),
    "study_peers": ("study_id", "measure"),
    "study_stage_daily": ("study_id", "day", "stage"),
    "stage_durations": ("study_id", "stage"),
    "status_durations": ("study_id", "status"),
    "ageing_participants": ("participant_id",),
}
# Said of a row besides what the oracle computes: labels, and what a model of its own decides.
NOT_IN_ORACLE = {
    "study_name",
    "status_label",
    "current_status_label",
    "path_labels",
    "likely_manual_completions",
    "place",
}


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


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Compare every row and column of these marts with the oracle's."""
    for mart, grain in GRAINS.items():
        made = by_grain(rows(connection, f"marts.{mart}"), grain)
        wanted = by_grain(getattr(marts, mart)(workspace), grain)
        assert made.keys() == wanted.keys(), mart
        for key, row in wanted.items():
            ours = {
                column: value for column, value in made[key].items() if column in row or column not in NOT_IN_ORACLE
            }
            assert ours == {column: comparable(value) for column, value in row.items()}, (mart, key)
    peers = sorted(rows(connection, "marts.study_peers"), key=lambda row: row["place"])
    assert peers == sorted(peers, key=worst_first)
    unexpected = {
        (row["participant_id"], row["sequence_number"]) for row in rows(connection, "audit.unexpected_changes")
    }
    progress = by_grain(rows(connection, "marts.study_progress"), GRAINS["study_progress"])
    for study_id, members in workspace.by_study().items():
        completions = (
            (one.participant_id, number) for one in members for number in standing_completions(workspace, one).values()
        )
        by_hand = sum(completion in unexpected for completion in completions)
        assert progress[study_id,]["likely_manual_completions"] == by_hand
