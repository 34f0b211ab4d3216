"""The oracle on incidence with a competing exit, against frozen numbers. The product is held against it in test_any_history."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from against_oracle.flow import comparable
from oracle.marts_incidence import curve

BANDS = ("completed_share", "completed_low", "completed_high", "lost_share", "lost_low", "lost_high")
FROZEN = Path(__file__).with_name("fixtures") / "incidence.csv"


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
