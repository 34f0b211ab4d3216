"""Are the oracle's marts right? Examples worked out by hand from the specification, each with why."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import marts
from oracle.history import histories
from oracle.lines import Delivery
from oracle.reference import DEFAULT_STATUSES, STAGES, Studies, Study
from strategies import (
    START,
    as_ofs,
    first_days,
    study_infos,
    workspaces,
)
from test_oracle import change


def workspace(
    *changes: Delivery,
    days: float = 10,
    studies: Studies = MappingProxyType({}),
) -> marts.Workspace:
    """Report on the changes some days after the start."""
    as_of = START + timedelta(days=days)
    return marts.Workspace(
        histories(changes, as_of, DEFAULT_STATUSES),
        as_of,
        studies=studies,
    )


def other(name: str, *changes: Delivery) -> list[Delivery]:
    """Make the same changes those of another participant, who is another person."""
    return [replace(one, participant_id=name, person_id=f"person of {name}") for one in changes]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.9, 7),
        ([1, 2], 0.5, 1.5),
        ([3, 1, 2], 0.5, 2),
        ([0, 10], 0.9, 9),
        ([1, 2, 3, 4, 5], 0.9, 4.6),  # place 3.6: six tenths of the way from 4 to 5
    ],
)
def test_percentiles(values: list[float], share: float, expected: float | None) -> None:
    """Numpy's linear method: the place is (n - 1) times the share."""
    assert marts.percentile(values, share) == (expected and pytest.approx(expected))


def test_the_funnel_of_three() -> None:
    """One was invited straight to an interview, one is being screened, one bounced.

    Invited straight to an interview counts as having reached screening, without a time there.
    """
    direct = other("direct", change("INTERVIEW_INVITE_SENT", None))
    screened = other(
        "screened",
        change("INVITE_SENT", None),
        change("SCREENER_STARTED", "INVITE_SENT", 6),
    )
    bounced = other(
        "bounced",
        change("INVITE_SENT", None),
        change("EMAIL_HARD_BOUNCED", "INVITE_SENT", 1),
    )
    rows = marts.study_funnel(workspace(*direct, *screened, *bounced))
    columns = (
        "step",
        "observed",
        "reached",
        "conversion_from_previous",
        "dropped_active",
        "dropped_lost",
        "converted_timed",
        "median_hours_from_previous",
    )
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("added", 3, 3, None, 0, 0, 0, None),
        # The bounce maps to `added` and came after the invitation: negative, so left out.
        ("invited", 2, 3, 1.0, 0, 0, 0, None),
        ("screener_started", 1, 2, 2 / 3, 0, 1, 1, 6.0),
        ("activity_invited", 1, 1, 0.5, 1, 0, 0, None),
    ]
    [drop, other_drop] = marts.study_drop_off(workspace(*direct, *screened, *bounced))
    assert (drop["step"], drop["status"], drop["is_lost"]) == (
        "screener_started",
        "EMAIL_HARD_BOUNCED",
        True,
    )
    assert (other_drop["status"], other_drop["share_of_drop"]) == ("SCREENER_STARTED", 1.0)


def test_young_cohorts_are_not_matured() -> None:
    """Ten days after the start, a participant of day 0 has had 7 days, and nobody 14."""
    changes = [
        change("INVITE_SENT", None),
        *other("late", change("INVITE_SENT", None, 5 * 24)),
        change("SCREENER_STARTED", "INVITE_SENT", 7 * 24),
    ]
    row = marts.study_funnel_cohorts(workspace(*changes))[-1]
    assert (row["cohort_week"], row["step"]) == (START.date(), "screener_started")
    assert (row["participants"], row["reached"]) == (2, 1)
    assert (row["matured_7d"], row["reached_within_7d"]) == (1, 1)  # exactly 7 days is within
    assert (row["matured_14d"], row["reached_within_14d"]) == (0, 0)


def test_a_hidden_debt() -> None:
    """Finished, then opted out: still owed, though no table of Rally shows it."""
    changes = [change("SURVEY_COMPLETED", None), change("OPTED_OUT", "SURVEY_COMPLETED", 1)]
    studies = {"s": Study(incentive_cents=5000)}
    [row] = marts.incentive_backlog(workspace(*changes, days=7.5, studies=studies))
    assert (row["backlog_state"], row["owed_since"], row["is_hidden"]) == ("not_sent", START, True)
    assert (row["age_days"], row["age_bucket"], row["is_overdue"]) == (7.5, "3-7", True)
    assert row["amount_cents"] == 5000
    daily = marts.incentive_backlog_daily(workspace(*changes, days=7.5, studies=studies))
    assert len(daily) == 8
    # Owed from the start of day 0; more than 5 days old at the end of day 5, not of day 4.
    assert [one["overdue"] for one in daily] == [0, 0, 0, 0, 0, 1, 1, 1]


def test_inferred_changes_take_no_time() -> None:
    """Screening is inferred between two stages: it has no visit, and ends the one before."""
    changes = [change("INVITE_SENT", None), change("OPTED_OUT", "SCREENER_STARTED", 3)]
    rows = {row["stage"]: row for row in marts.stage_durations(workspace(*changes, days=1))}
    assert set(rows) == {"Invited", "Cancelled"}
    assert rows["Invited"]["median_hours"] == 3
    assert rows["Cancelled"]["oldest_open_hours"] == 21


@pytest.mark.parametrize(
    ("statuses", "days", "expected"),
    [
        ("INVITE_SENT", 6, "In Cooldown"),
        ("INVITE_SENT", 8, "Free to Contact"),
        ("SURVEY_COMPLETED", 29, "In Cooldown"),
        ("SURVEY_COMPLETED", 31, "Free to Contact"),
        ("OPTED_OUT", 90, "Opted Out"),
        ("OPTED_OUT INVITE_SENT", 90, "Free to Contact"),
        ("INVITE_SENT EMAIL_SOFT_BOUNCED", 90, "Free to Contact"),
    ],
)
def test_contact_status(statuses: str, days: int, expected: str) -> None:
    """Section 7, with the default cooldowns; a contact after an opt-out undoes it."""
    names = statuses.split()
    pairs = zip(names, [None, *names], strict=False)
    changes = [change(status, prior, hour) for hour, (status, prior) in enumerate(pairs)]
    [row] = marts.people(workspace(*changes, days=days))
    assert row["contact_status"] == expected


def test_invitations_to_recruits_and_transitions() -> None:
    """A move whose link is broken is counted, and not timed."""
    lost = [change("INVITE_SENT", None), change("SURVEY_COMPLETED", "SURVEY_STARTED", 30)]
    [row] = marts.time_to_recruit(workspace(*lost))
    assert row["hours"] == 30
    [created, moved] = marts.transitions(workspace(*lost))
    assert (created["from_status"], created["median_hours"]) == (None, None)
    assert (moved["transitions"], moved["median_hours"]) == (1, None)


@given(st.data())
def test_marts_agree_with_each_other(data: st.DataObject) -> None:
    """Sums that must hold on any data; and none of the marts fails on it, or on nothing."""
    changes = data.draw(workspaces())
    as_of = data.draw(as_ofs(changes))
    placed = histories(changes, as_of, DEFAULT_STATUSES)
    report = marts.Workspace(placed, as_of, studies=data.draw(study_infos()), daily_tables_from=data.draw(first_days()))
    is_shown = report.day(as_of) >= report.daily_tables_from

    daily = marts.study_stage_daily(report)
    for study_id, members in report.by_study().items():
        today = [row for row in daily if (row["study_id"], row["day"]) == (study_id, report.day(as_of))]
        assert sum(row["participants"] for row in today) == is_shown * len(members)
        for stage in STAGES:
            rows = [row for row in daily if (row["study_id"], row["stage"]) == (study_id, stage)]
            here = sum(report.current_stage(one) == stage for one in members)
            before = sum(row["participants"] - row["entered"] + row["left"] for row in rows[:1])
            assert before + sum(row["entered"] - row["left"] for row in rows) == is_shown * here

    funnel = marts.study_funnel(report)
    drops = marts.study_drop_off(report)
    assert sum(row["participants"] for row in drops) == sum(
        row["dropped_active"] + row["dropped_lost"] for row in funnel
    )
    last_day = [row for row in marts.incentive_backlog_daily(report) if row["day"] == report.day(as_of)]
    backlog = marts.incentive_backlog(report)
    assert sum(row["participants"] for row in last_day) == is_shown * len(backlog)
    assert sum(row["overdue"] for row in last_day) == is_shown * sum(row["is_overdue"] for row in backlog)
    assert sum(row["backlog"] for row in marts.study_progress(report)) == len(backlog)

    for mart in (
        marts.study_funnel_cohorts,
        marts.time_to_recruit,
        marts.status_durations,
        marts.ageing_participants,
        marts.transitions,
        marts.people,
        marts.activity_daily,
    ):
        mart(report)
