"""Forecasts of studies that have just begun, or in which people answer otherwise than before, as the oracle has them."""

from datetime import UTC, datetime, timedelta

import pytest
from oracle.history import histories
from oracle.lines import Delivery
from oracle.marts_forecast import forecasts, two_weeks_earlier
from oracle.reference import DEFAULT_STATUSES, Study
from oracle.workspace import Workspace
from product import Product, rows


def test_a_launch_and_a_slower_study(product: Product) -> None:
    """On its launch day, a study rests on its type, or it would expect nobody. Who answers less than before is expected to go on so."""
    as_of = datetime(2026, 7, 31, 12, tzinfo=UTC)
    changes = [
        Delivery(name, name, study, status, before, at + timedelta(hours=hours))
        for study, first_day, invited, who_lately in (
            ("usual", 55, 3, (0, 2)),
            ("slower", 55, 8, ()),
            ("faster", 55, 4, (0, 1, 2, 3)),
            ("launched", 0, 40, ()),
            ("unlike any other", 0, 40, ()),
        )
        for day in range(first_day, -1, -1)
        for place in range(invited)
        for at in [as_of - timedelta(days=day, hours=2)]
        for name in [f"{study} {day} {place}"]
        for completes in [place in (who_lately if day < 15 else (0, 2, 4))]
        for status, before, hours in [
            ("INVITE_SENT", None, 0),
            *([("SURVEY_COMPLETED", "INVITE_SENT", 5 + 20 * place)] if completes else []),
        ]
        if at + timedelta(hours=hours) <= as_of
    ]
    surveys = [study for study in {change.study_id for change in changes} if study != "unlike any other"]
    studies = {study: Study(study_type="survey") for study in surveys}
    workspace = Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=studies)
    wanted = forecasts(workspace, two_weeks_earlier(workspace, changes))
    assert {study for study, _ in wanted} == set(surveys), "of a new type, too little is known"
    assert [wanted[study, 7].is_own for study in ("usual", "slower", "launched")] == [True, True, False]
    assert wanted["launched", 7].expected > 10
    assert wanted["usual", 7].pace_variance
    given = {"stg_studies": [{"study_id": study, "study_type": "survey"} for study in surveys]}
    with product.warehouse(changes, "study_forecast_daily", as_of=as_of, optional=given) as connection:
        made = {(row["study_id"], row["days"]): row for row in rows(connection, "marts.study_forecast_daily")}
    assert made.keys() == wanted.keys()
    for key, forecast in wanted.items():
        for name in ("expected", "variance", "invited_share"):
            assert made[key][name] == pytest.approx(getattr(forecast, name), abs=1e-7), (key, name)
