"""Incidence with a competing exit, row by row as the oracle has it."""

from collections import defaultdict
from collections.abc import Sequence

import duckdb
from oracle.marts_incidence import SHOWN_DAYS, Point, curve, spells, study_incidence
from oracle.reference import STEPS
from oracle.tables import study_types
from oracle.workspace import Workspace
from product import Row, rows

from .flow import by_grain, comparable

GRAIN = ("study_id", "study_type", "begins_with", "started_month", "days")
NUMBERS = ("completed_share", "lost_share", "completed_variance", "lost_variance")
CURVES = """(
    select incidence.*, studies.study_id
    from intermediate.int_incidence as incidence
    left join intermediate.int_studies as studies using (study_key)
    where incidence.moment = (select max(moment) from intermediate.int_incidence)
)"""
"""Of as-of; forecasts also need those of two weeks before."""


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
    """Compare every value, to 1e-9."""
    made = by_grain(rows(connection, "marts.study_incidence"), GRAIN)
    wanted = by_grain(study_incidence(workspace), GRAIN)
    assert made.keys() == wanted.keys()
    for key, row in wanted.items():
        assert made[key] == {column: comparable(value) for column, value in row.items()}, key
    check_points(rows(connection, CURVES), points(workspace))


def check_points(made: Sequence[Row], wanted: dict[tuple[str | None, str, int, object], list[Point]]) -> None:
    """Curves have no threshold of ten; times without exits, or after the last day that is shown, may be left out."""
    keyed = {
        (row["study_id"], row["study_type"], row["step_order"], row["started_month"], row["hours"]): row for row in made
    }
    assert len(keyed) == len(made)
    for key, curve_points in wanted.items():
        for point in curve_points:
            row = keyed.pop((*key, point.hours), None)
            if row is None:
                _, _, step, month = key
                assert step or month, "forecasts need every time"
                assert point.completed + point.lost == 0 or point.hours > 24 * SHOWN_DAYS[-1]
                continue
            counts = (point.completed, point.lost, point.at_risk, point.at_risk_after)
            assert (row["completed"], row["lost"], row["at_risk"], row["at_risk_after"]) == counts
            assert row["active_after"] == comparable(float(point.active_after))
            got = tuple(row[number] for number in NUMBERS)
            wanted_then = (point.completed_curve[0], point.lost_curve[0], *point.variances)
            assert got == tuple(map(comparable, wanted_then)), (key, point.hours)
    assert keyed == {}
