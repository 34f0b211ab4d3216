"""Incidence with a competing exit: of any history, as the oracle has it; and the oracle, as frozen numbers have it."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb
import pytest
from oracle.history import histories
from oracle.lines import deliveries, read_lines
from oracle.marts_incidence import Point, curve, spells, study_incidence
from oracle.reference import DEFAULT_STATUSES, STEPS
from oracle.tables import study_types
from oracle.workspace import Workspace
from product import Product, Row, rows
from test_marts_flow_against_oracle import by_grain, comparable, sample_files, sample_studies

from pipelines.settings import sample_as_of

FROZEN = Path(__file__).with_name("fixtures") / "incidence.csv"
GRAIN = ("study_id", "study_type", "begins_with", "started_month", "days")
BANDS = ("completed_share", "completed_low", "completed_high", "lost_share", "lost_low", "lost_high")


def frozen_curves() -> dict[str, list[dict[str, str]]]:
    """The rows of each curve in tests/fixtures/incidence.csv, computed once by scikit-survival 0.28.0."""
    curves = defaultdict(list)
    with FROZEN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            curves[row["curve"]].append(row)
    return curves


@pytest.mark.parametrize("name", frozen_curves())
def test_the_oracle_agrees_with_frozen_numbers(name: str) -> None:
    """Ties of any weight, all or nobody censored: the oracle is no judge before it has been judged."""
    wanted = frozen_curves()[name]
    times = [
        (int(row["hours"]), outcome)
        for row in wanted
        for outcome, count in (("completed", row["completed"]), ("lost", row["lost"]), ("active", row["censored"]))
        for _ in range(int(count))
    ]
    for point, row in zip(curve(times), wanted, strict=True):
        got = dict(zip(BANDS, (*point.completed_curve, *point.lost_curve), strict=True))
        assert got == {band: comparable(float(row[band])) if row[band] else None for band in BANDS}, point.hours


def points(workspace: Workspace) -> dict[tuple[str | None, str, int, object], list[Point]]:
    """Every point of every curve of the oracle, by what the curve is of; a step by its number, an invitation 0."""
    types = study_types(workspace.histories, workspace.studies)
    curves: dict[tuple[str | None, str, int, object], list[tuple[int, str]]] = defaultdict(list)
    for spell in spells(workspace):
        study_type = types[spell.study_id]
        step = 0 if spell.begins_with == "any_invitation" else STEPS.index(spell.begins_with) + 1
        for study_id in (spell.study_id, None):
            curves[study_id, study_type, step, None].append((spell.hours(in_days=False), spell.outcome))
        if step == 0:
            curves[spell.study_id, study_type, 0, spell.month].append((spell.hours(in_days=True), spell.outcome))
    return {key: curve(times) for key, times in curves.items()}


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Compare the tables of a built warehouse with the oracle's, to 1e-9."""
    incidence = rows(
        connection,
        "(select i.*, s.study_id from intermediate.int_incidence i left join intermediate.int_studies s using (study_key))",
    )
    made = by_grain(rows(connection, "marts.study_incidence"), GRAIN)
    wanted = by_grain(study_incidence(workspace), GRAIN)
    assert made.keys() == wanted.keys()
    for key, row in wanted.items():
        assert made[key] == {column: comparable(value) for column, value in row.items()}, key
    check_points(incidence, points(workspace))


def check_points(made: Sequence[Row], wanted: dict[tuple[str | None, str, int, object], list[Point]]) -> None:
    """Curves have no threshold of ten; times without exits may be left out."""
    keyed = {
        (row["study_id"], row["study_type"], row["step_order"], row["started_month"], row["hours"]): row for row in made
    }
    assert len(keyed) == len(made)
    for key, curve_points in wanted.items():
        for point in curve_points:
            row = keyed.pop((*key, point.hours), None)
            if row is None:
                assert point.completed + point.lost == 0
                continue
            counts = (point.completed, point.lost, point.at_risk, point.at_risk_after)
            assert (row["completed"], row["lost"], row["at_risk"], row["at_risk_after"]) == counts
            assert row["active_after"] == comparable(float(point.active_after))
            got = tuple(row[band] for band in BANDS)
            assert got == tuple(map(comparable, (*point.completed_curve, *point.lost_curve))), (key, point.hours)
    assert keyed == {}


def test_the_sample(product: Product) -> None:
    """Spells enough to be shown, with ties within a day."""
    changes = list(dict.fromkeys(deliveries(read_lines(sample_files(), DEFAULT_STATUSES))))
    as_of = sample_as_of()
    workspace = Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=sample_studies())
    assert any(row["completed_low"] is not None for row in study_incidence(workspace))
    studies = [{"study_id": name} | asdict(study) for name, study in workspace.studies.items()]
    how = {"as_of": as_of, "optional": {"stg_studies": studies}}
    with product.warehouse(changes, "study_incidence", **how) as connection:
        compare(connection, workspace)
