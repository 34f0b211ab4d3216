"""Forecasts of the sample as the oracle has them, and how far the approximation is from the exact distribution."""

from collections.abc import Iterator
from dataclasses import asdict
from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

import pytest
from oracle.history import histories
from oracle.lines import deliveries, read_lines
from oracle.marts_forecast import Forecast, at_least, forecasts, how_many, invitations, two_weeks_earlier
from oracle.marts_people import Limit, kept_from_inviting
from oracle.marts_study import study_progress
from oracle.reference import COMPLETIONS, DEFAULT_STATUSES, INVITATIONS
from oracle.workspace import Workspace
from product import Product, Row, rows
from sample import sample_files, sample_studies

from pipelines.settings import sample_as_of

LEVELS = (50, 80, 95)
INVITED, COMPLETED = frozenset(INVITATIONS), frozenset(COMPLETIONS)
RULES = (
    Limit("invitations", INVITED, 4, 30),
    Limit("study_invitations", INVITED, 2, 30, once_per_study=True),
    Limit("invitation_cooldown", INVITED, 1, 7, once_per_study=True),
    Limit("participation_cooldown", INVITED, 0, 30, once_per_study=True, after=COMPLETED),
)
"""The rules of governance_rules.csv on invitations."""


class Made(NamedTuple):
    """The product's tables, and what the oracle makes of the same data."""

    daily: dict[tuple[str, int], Row]
    studies: dict[str, Row]
    needed: list[Row]
    plan: list[Row]
    people: list[str]
    limits: dict[tuple[str, bool], Row]
    workspace: Workspace
    wanted: dict[tuple[str, int], Forecast]


@pytest.fixture(scope="module")
def made(product: Product) -> Iterator[Made]:
    """The sample five weeks earlier, when its studies were filling, each with a target of four more than it has."""
    changes = list(dict.fromkeys(deliveries(read_lines(sample_files(), DEFAULT_STATUSES))))
    as_of = sample_as_of().replace(month=6, day=28, hour=15)
    workspace = Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=sample_studies())
    completed = {row["study_id"]: row["completed"] for row in study_progress(workspace)}
    optional = [
        {"study_id": name}
        | asdict(study)
        | {"target": completed.get(name, 0) + 4, "target_on": "2026-07-13", "participation_limit": None}
        for name, study in workspace.studies.items()
    ]
    with product.warehouse(
        changes, "invitation_plan", "invitation_limits", as_of=as_of, optional={"stg_studies": optional}
    ) as connection:
        yield Made(
            {(row["study_id"], row["days"]): row for row in rows(connection, "marts.study_forecast_daily")},
            {row["study_id"]: row for row in rows(connection, "marts.study_forecast")},
            rows(connection, "marts.invitations_needed"),
            rows(connection, "marts.invitation_plan"),
            [row["person_id"] for row in rows(connection, "marts.may_be_invited")],
            {(row["limit_id"], row["is_rule"]): row for row in rows(connection, "marts.invitation_limits")},
            workspace,
            forecasts(workspace, two_weeks_earlier(workspace, changes)),
        )


def test_expected_completions(made: Made) -> None:
    """Of own spells, or of the type's where there are fewer than 30, at the pace of late; none where there is too little."""
    assert made.daily.keys() == made.wanted.keys()
    assert {forecast.is_own for forecast in made.wanted.values()} == {True, False}
    for key, forecast in made.wanted.items():
        got = made.daily[key]
        assert got["expected"] == pytest.approx(forecast.expected, abs=1e-7), key
        assert got["variance"] == pytest.approx(forecast.variance, abs=1e-7), key
        assert got["invited_share"] == pytest.approx(forecast.invited_share, abs=1e-9), key


def test_when_it_is_full(made: Made) -> None:
    """The first day on which so many more are as sure as that; nothing where those invited are not enough."""
    completed = {row["study_id"]: row["completed"] for row in study_progress(made.workspace)}
    reached = 0
    for study_id, row in made.studies.items():
        assert row["completed"] == completed[study_id]
        ahead = [forecast for (name, _), forecast in made.wanted.items() if name == study_id]
        if row["target"] is None or row["is_full"] or not ahead:
            assert [row[f"full_on_{level}"] for level in LEVELS] == [None] * 3
            continue
        assert row["rests_on"] == ("study" if ahead[0].is_own else "type")
        for level in LEVELS:
            z = NormalDist().inv_cdf(level / 100)
            days = [one.days for one in ahead if one.expected - z * sqrt(one.variance) >= row["remaining"] - 1e-9]
            first = made.daily[study_id, days[0]]["day"] if days else None
            assert row[f"full_on_{level}"] == first
            reached += first is not None
        on_target = made.wanted[study_id, 15]
        chance = 0.0
        if on_target.variance:
            chance = 1 - NormalDist(on_target.expected, sqrt(on_target.variance)).cdf(row["remaining"])
        assert row["chance_by_target_on"] == pytest.approx(chance, abs=2e-6)
    assert reached, "else this compares nothing"


def test_invitations_needed(made: Made) -> None:
    """The fewest from which on any number is enough, tried one by one: the oracle solves no equation."""
    assert any(row["is_target_on"] for row in made.needed)
    assert {row["too_little_known"] for row in made.needed} == {True, False}
    for row in made.needed:
        forecast, study = made.wanted[row["study_id"], row["days"]], made.studies[row["study_id"]]
        assert row["invitations"] == invitations(forecast, study["remaining"], row["confidence"]), row


def test_the_plan_spreads_what_is_needed(made: Made) -> None:
    """Each day brings the same part of what inviting all of them today would bring; later, more people for it."""
    needed = {
        row["study_id"]: row
        for row in made.needed
        if row["confidence"] == 80 and row["is_target_on"] and row["days"] == 15
    }
    assert {row["study_id"] for row in made.plan} == needed.keys()
    for study_id, whole in needed.items():
        plan = sorted((row for row in made.plan if row["study_id"] == study_id), key=lambda row: row["send_on"])
        if not whole["invitations"]:
            assert [row["invitations"] for row in plan] == [whole["invitations"]]
            continue
        # Sunday 28 June is today; of the Mondays before 13 July, those count that leave enough time.
        shares = {days: made.wanted[study_id, 15 - days].invited_share for days in (0, 1, 8)}
        in_time = [days for days, share in shares.items() if share >= shares[0] / 2]
        assert [(row["send_on"] - made.workspace.as_of.date()).days for row in plan] == in_time
        planned = 0.0
        for row, days in zip(plan, in_time, strict=True):
            planned += whole["invitations"] * shares[0] / len(in_time) / shares[days]
            assert row["share_in_time"] == pytest.approx(shares[days], abs=1e-9)
            assert row["invitations_so_far"] == ceil(planned - 1e-6)
        assert sum(row["invitations"] for row in plan) == plan[-1]["invitations_so_far"] >= whole["invitations"]
    assert any(len([row for row in made.plan if row["study_id"] == study_id]) > 1 for study_id in needed)


def test_nobody_is_planned_twice(made: Made) -> None:
    """Today's invitations come first, then those of the study that has the nearest day."""
    left = len(made.people)
    for row in sorted(made.plan, key=lambda row: (row["send_on"], row["by_when"], row["study_id"])):
        assert row["people_free"] == min(left, row["invitations"] or 0)
        left -= row["people_free"]


def test_what_each_limit_costs(made: Made) -> None:
    """How many people each rule of governance_rules.csv or contact status keeps, and whom nothing else does."""
    kept = kept_from_inviting(made.workspace, RULES)
    wanted = {
        limit: (len(people), sum(sum(person in others for others in kept.values()) == 1 for person in people))
        for limit, people in kept.items()
        if people
    }
    assert {limit: (row["people"], row["people_only"]) for limit, row in made.limits.items()} == wanted
    everybody = {history.person_id for history in made.workspace.histories}
    assert everybody - set(made.people) == set().union(*kept.values())


def test_how_good_the_normal_approximation_is(made: Made) -> None:
    """Against the exact distribution. It is cautious: a day holds as often as it says, or more often."""
    worst_promise, worst = 0.0, 0.0
    for forecast in made.wanted.values():
        if not forecast.own_variance:
            continue
        spread = NormalDist(forecast.expected, sqrt(forecast.own_variance))
        for number in range(1, len(forecast.chances) + 1):
            exact, said = at_least(forecast.chances, number), 1 - spread.cdf(number)
            worst = max(worst, exact - said)
            if said >= 0.5:
                worst_promise = max(worst_promise, said - exact)
    assert worst_promise < 0.01
    assert worst < 0.25


def chances_of(people: int) -> list[tuple[float, ...]]:
    """What chances as many people may have: all alike, one of each, some recently invited, some as good as certain."""
    alike = [(chance,) * people for chance in (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)]
    mixed = [
        tuple((place + 0.5) / people for place in range(people)),
        tuple(0.02 if place % 5 else 0.3 for place in range(people)),
        tuple(0.05 if place % 2 else 0.95 for place in range(people)),
    ]
    return alike + mixed


@pytest.mark.parametrize("people", [1, 2, 5, 10, 50, 200])
def test_the_normal_approximation_promises_too_little_rather_than_too_much(people: int) -> None:
    """docs/forecasts.md has these bounds: for few people, too, a statement holds in as many cases as it says."""
    for chances in chances_of(people):
        distribution = NormalDist(sum(chances), sqrt(sum(chance * (1 - chance) for chance in chances)))
        exactly = how_many(chances)
        for number in range(1, people + 1):
            exact, said = sum(exactly[number:]), 1 - distribution.cdf(number)
            assert all(exact >= level / 100 for level in LEVELS if said >= level / 100), (chances, number)
            if said >= 0.5:
                assert said - exact < 0.003, (chances, number)
