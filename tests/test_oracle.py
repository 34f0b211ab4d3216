"""Is the oracle itself right? Examples worked out by hand from the specification, each with why."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.history import History, histories, ordered
from oracle.incentives import fold
from oracle.lines import Delivery, accounting, deliveries, instant, read_lines
from oracle.reference import DEFAULT_STATUSES, STAGES, STEPS, Study
from oracle.tables import gaps, participants, status_changes
from oracle.ties import fewest_gaps
from strategies import (
    NOISE,
    START,
    Folder,
    as_ofs,
    feeds,
    study_infos,
    tangles,
    valid_but,
    workspaces,
)

LATER = START + timedelta(days=365)


def change(status: str, prior: str | None, hours: float = 0, person: str = "q") -> Delivery:
    """Make a change of one participant, some hours after the start."""
    return Delivery("p", person, "s", status, prior, START + timedelta(hours=hours))


def history(*changes: Delivery) -> History:
    """Make the one history that the changes of one participant give."""
    [only] = histories(changes, LATER, DEFAULT_STATUSES)
    return only


def outcome(line: bytes) -> tuple[str, str | None]:
    """Say what becomes of one line."""
    [only] = read_lines({"a.jsonl": line + b"\n"}, DEFAULT_STATUSES)
    return only.outcome, only.reason


def test_the_reference_table_has_what_the_specification_lists() -> None:
    """25 values of the webhook; every stage and step is one of those the page names."""
    assert len(DEFAULT_STATUSES) == 25
    assert {status.stage for status in DEFAULT_STATUSES.values()} == set(STAGES)
    assert {status.funnel_step for status in DEFAULT_STATUSES.values()} == set(STEPS)


@pytest.mark.parametrize(("line", "expected", "reason"), NOISE)
def test_noise_is_named(line: bytes, expected: str, reason: str | None) -> None:
    """Reasons are tried in the order of the list; NOISE has one or more lines of each."""
    assert outcome(line) == (expected, reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-09-01T00:00:00Z", datetime(2024, 9, 1, tzinfo=UTC)),
        ("2024-09-01t02:00:00.1234569+02:00", datetime(2024, 9, 1, microsecond=123456, tzinfo=UTC)),
        ("2024-08-31T23:30:00.5-00:30", datetime(2024, 9, 1, microsecond=500_000, tzinfo=UTC)),
        # Year 0 and year 10000 do not exist, but an offset can bring their edges back in.
        ("0000-12-31T23:30:00-01:00", datetime(1, 1, 1, 0, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00+00:01", None),
        ("9999-12-31T23:59:59.999999-00:01", None),
        ("9999-12-31T23:59:59.9999999Z", datetime.max.replace(tzinfo=UTC)),
        ("2024-02-30T00:00:00Z", None),
        ("2024-09-01T00:00:60Z", None),
        ("2024-09-01T00:00Z", None),
        ("2024-09-01T00:00:00.Z", None),
        ("2024-09-01T00:00:00+0200", None),
        ("2024-09-01T00:00:00+24:00", None),
        ("2024-09-01T00:00:00+02:60", None),
        ("2024-09-01T00:00:00", None),
        ("2024-09-01 00:00:00Z", None),
        ("\u0662024-09-01T00:00:00Z", None),
        ("2024-09-01T00:00:00Z\n", None),
    ],
)
def test_instants(text: str, expected: datetime | None) -> None:
    """RFC 3339 with an offset, cut to microseconds, between the years 1 and 9999."""
    assert instant(text) == expected


def test_a_last_line_without_newline_waits_until_it_is_a_whole_document() -> None:
    """Section 2: taken only if whole. A half line and white space are not JSON documents."""
    line = valid_but()
    for unfinished in (b"", b" ", line[:-1], b"not json"):
        assert len(read_lines({"a": line + b"\n" + unfinished}, DEFAULT_STATUSES)) == 1
    for whole in (line, line + b"\r", b"[1]"):
        assert len(read_lines({"a": line + b"\n" + whole}, DEFAULT_STATUSES)) == 2


def test_accounting() -> None:
    """Two writings of one instant are one change and one repeat, in another file too."""
    repeat = valid_but(updatedAt="2025-03-03T01:00:00.0+01:00")
    files = {
        "a": valid_but() + b"\r\n\r\n{}\nnull\n",
        "b": b'\xef\xbb\xbf{"_eventType":"x"}\n' + repeat,
    }
    assert accounting(read_lines(files, DEFAULT_STATUSES)) == {
        "lines": 6,
        "blank": 1,
        "accepted": 2,
        "other_events": 1,
        "rejected": {"missing_field": 1, "not_an_object": 1},
        "distinct_changes": 1,
        "repeated_deliveries": 1,
        "batch_lines": 0,
        "batch_deliveries": 0,
    }


def test_the_last_of_duplicate_keys_holds() -> None:
    """RFC 8259 leaves it open; the lines say `status` twice, and the second is taken."""
    line = valid_but().replace(b'{"_', b'{"status": "NEW", "_')
    assert outcome(line) == ("accepted", None)
    assert outcome(line[:-1] + b', "status": "NEW"}') == ("rejected", "unknown_status")


def statuses_of(changes: Sequence[Delivery]) -> list[str]:
    """Put the changes in order and name their statuses."""
    return [placed.status for placed in ordered(changes, DEFAULT_STATUSES)]


def test_ties_follow_the_links() -> None:
    """Completed to no-showed at one instant is against the table's order, but breaks no link."""
    tied = [
        change("INTERVIEW_SCHEDULED", "INTERVIEW_NO_SHOWED", 1),
        change("INTERVIEW_NO_SHOWED", "INTERVIEW_COMPLETED", 1),
    ]
    before = change("INTERVIEW_COMPLETED", None)
    expected = ["INTERVIEW_COMPLETED", "INTERVIEW_NO_SHOWED", "INTERVIEW_SCHEDULED"]
    assert statuses_of([*tied, before]) == expected


def test_ties_look_ahead() -> None:
    """Both orders of the tie break two links in it; only one holds the link to what follows."""
    tied = [change("INVITE_SENT", "OPTED_OUT"), change("SCREENER_STARTED", "CANCELLED")]
    after = change("CANCELLED", "INVITE_SENT", 1)
    assert statuses_of([*tied, after]) == ["SCREENER_STARTED", "INVITE_SENT", "CANCELLED"]


def test_equal_ties_take_the_order_of_the_table() -> None:
    """No link can hold, so the rank decides."""
    tied = [change("OPTED_OUT", "NOT_STARTED"), change("INVITE_SENT", "CANCELLED")]
    assert statuses_of(tied) == ["INVITE_SENT", "OPTED_OUT"]


def test_a_round_trip_at_one_instant_starts_from_what_stood_before() -> None:
    """A to B and B to A at one instant, after A: only A, B, A breaks nothing."""
    tied = [
        change("INVITE_SENT", "NOT_STARTED", 1),
        change("NOT_STARTED", "INVITE_SENT", 1),
    ]
    before = change("NOT_STARTED", None)
    assert statuses_of([*tied, before]) == ["NOT_STARTED", "INVITE_SENT", "NOT_STARTED"]


@given(tangles("p"))
def test_the_order_is_the_best_of_all(tangle: list[Delivery]) -> None:
    """Against trying every order, which is only possible for few."""
    changes = list(dict.fromkeys(tangle))

    def cost(order: Sequence[Delivery]) -> tuple[object, ...]:
        priors = [placed.prior_status for placed in order]
        befores = [None, *(placed.status for placed in order)]
        return (
            sum(prior != before for prior, before in zip(priors, befores, strict=False)),
            [DEFAULT_STATUSES[placed.status].rank for placed in order],
            [
                (DEFAULT_STATUSES[prior].rank if prior else -1, placed.person_id, placed.study_id)
                for prior, placed in zip(priors, order, strict=True)
            ],
        )

    in_time = (
        order for order in permutations(changes) if all(a.updated_at <= b.updated_at for a, b in pairwise(order))
    )
    assert ordered(changes, DEFAULT_STATUSES) == min(in_time, key=cost)


@given(tangles("p", largest=7))
def test_the_fewest_gaps_are_those_of_the_best_order(changes: list[Delivery]) -> None:
    """The count of trails, which holds for any number of changes, agrees with trying every order of a few."""
    distinct = sorted(set(changes), key=lambda change: change.updated_at)
    instants = [list(tied) for _, tied in groupby(distinct, key=lambda change: change.updated_at)]
    best = histories(distinct, LATER, DEFAULT_STATUSES)
    assert fewest_gaps(instants) == sum(placed.follows_gap for placed in best[0].changes)


def test_a_lost_change_in_the_middle_is_inferred() -> None:
    """Screener started is known only from the prior status of what followed it."""
    rows = status_changes(
        [history(change("INVITE_SENT", None), change("SCREENER_QUALIFIED", "SCREENER_STARTED", 5))],
        DEFAULT_STATUSES,
        {},
    )
    flags = [(row["status"], row["is_inferred"], row["follows_gap"]) for row in rows]
    assert flags == [
        ("INVITE_SENT", False, False),
        ("SCREENER_STARTED", True, False),
        ("SCREENER_QUALIFIED", False, True),
    ]
    assert [row["sequence_number"] for row in rows] == [1, 2, 3]
    five = START + timedelta(hours=5)
    assert [row["ended_at"] for row in rows] == [five, five, None]
    assert [row["deliveries"] for row in rows] == [1, 0, 1]


def test_a_created_participant_that_already_was_is_a_gap_that_infers_nothing() -> None:
    """A prior status of null after another change: something is missing, nobody knows what."""
    broken = history(change("INVITE_SENT", None), change("NOT_STARTED", None, 1))
    assert [placed.is_inferred for placed in broken.changes] == [False, False]
    [gap] = gaps([broken])
    assert (gap["after"], gap["before"]) == (START, START + timedelta(hours=1))


def test_a_first_change_with_a_prior_status() -> None:
    """A gap with no lower bound, and one inferred change before the first."""
    [gap] = gaps([history(change("OPTED_OUT", "SURVEY_COMPLETED"))])
    assert (gap["after"], gap["before"], gap["sequence_number"]) == (None, START, 2)


def test_status_since_is_not_restarted_by_a_repeated_invitation() -> None:
    """Section 4: the unbroken run of the status counts."""
    [row] = participants(
        [history(change("INVITE_SENT", None), change("INVITE_SENT", "INVITE_SENT", 9))],
        DEFAULT_STATUSES,
        {},
    )
    assert row["status_since"] == START
    assert row["last_changed_at"] == START + timedelta(hours=9)


def test_as_of_keeps_what_is_exactly_then() -> None:
    """Everything *later* than as-of is ignored."""
    changes = [change("INVITE_SENT", None), change("OPTED_OUT", "INVITE_SENT", 1)]
    [then] = histories(changes, START + timedelta(hours=1), DEFAULT_STATUSES)
    assert len(then.changes) == 2
    early = START + timedelta(hours=1, microseconds=-1)
    assert len(histories(changes, early, DEFAULT_STATUSES)[0].changes) == 1


def test_the_last_change_says_person_and_study() -> None:
    """Section 1: if changes disagree, the last holds."""
    merged = history(change("INVITE_SENT", None), change("OPTED_OUT", "INVITE_SENT", 1, "other"))
    assert merged.person_id == "other"


@pytest.mark.parametrize(
    ("statuses", "label", "since"),
    [
        # Never owed, never sent.
        ("INVITE_SENT", None, None),
        # A run of completions keeps the first time; an opt-out is neutral and leaves it owed.
        ("SURVEY_COMPLETED SURVEY_COMPLETED OPTED_OUT", "Incentive Not Sent", 0),
        # A bounce leaves what was not sent.
        ("SURVEY_COMPLETED EMAIL_HARD_BOUNCED", "Incentive Not Sent", 0),
        # Corrected to no-show: revoked. Completed again: owed from then.
        ("INTERVIEW_COMPLETED INTERVIEW_NO_SHOWED", None, None),
        ("INTERVIEW_COMPLETED INTERVIEW_NO_SHOWED INTERVIEW_COMPLETED", "Incentive Not Sent", 2),
        # Sent twice: the state goes on, so it began with the first.
        ("SURVEY_COMPLETED INCENTIVE_SENT INCENTIVE_SENT", "Incentive Sent", 1),
        # The first bounce after a sending counts; a new sending opens a new state.
        ("INCENTIVE_SENT EMAIL_SOFT_BOUNCED EMAIL_HARD_BOUNCED", "Incentive Undelivered", 1),
        ("INCENTIVE_SENT EMAIL_SOFT_BOUNCED INCENTIVE_SENT", "Incentive Sent", 2),
        # Claimed and Skipped while theirs is the last effect; an opt-out has none.
        ("INCENTIVE_SENT INCENTIVE_CLAIMED OPTED_OUT", "Incentive Claimed", None),
        ("SURVEY_COMPLETED INCENTIVE_SKIPPED", "Incentive Skipped", None),
        ("INCENTIVE_SENT INCENTIVE_CLAIMED CANCELLED", None, None),
        ("SURVEY_COMPLETED COMPLETED_STUDY", None, None),
    ],
)
def test_the_incentive_fold(statuses: str, label: str | None, since: int | None) -> None:
    """Section 6, effect by effect; `since` is the hour at which the state began."""
    names = statuses.split()
    priors = [None, *names]
    placed = history(
        *(change(status, prior, hour) for hour, (status, prior) in enumerate(zip(names, priors, strict=False))),
    )
    incentive = fold(placed.changes, DEFAULT_STATUSES, Study())
    assert incentive.label == label
    assert incentive.since == (None if since is None else START + timedelta(hours=since))


@pytest.mark.parametrize(
    ("incentive_type", "statuses", "state", "label"),
    [
        ("custom", "SURVEY_COMPLETED", "not_sent", "Incentive Not Sent"),
        ("custom", "SURVEY_COMPLETED INCENTIVE_SENT", None, "Incentive Sent"),
        ("custom", "INCENTIVE_SENT EMAIL_SOFT_BOUNCED OPTED_OUT", None, "Incentive Sent"),
        ("custom", "INCENTIVE_SENT NOT_STARTED", None, None),
        ("external", "SURVEY_COMPLETED", None, None),
        ("tremendous", "SURVEY_COMPLETED INCENTIVE_SENT", "unclaimed", "Incentive Sent"),
    ],
)
def test_who_pays_an_incentive_and_how(
    incentive_type: str, statuses: str, state: str | None, label: str | None
) -> None:
    """A custom incentive has nothing to claim; an external panel pays its own people."""
    names = statuses.split()
    placed = history(*(change(status, None, hour) for hour, status in enumerate(names)))
    incentive = fold(placed.changes, DEFAULT_STATUSES, Study(incentive_type=incentive_type))
    assert (incentive.state, incentive.label) == (state, label)


def test_a_study_without_incentives_has_nothing_pending() -> None:
    """Section 4: completed is Done there; and nothing is owed."""
    [row] = participants(
        [history(change("SURVEY_COMPLETED", None))],
        DEFAULT_STATUSES,
        {"s": Study(incentives_enabled=False)},
    )
    assert (row["current_stage"], row["incentive_status"]) == ("Done", None)


def test_study_types() -> None:
    """Inferred statuses count as seen; two kinds make it mixed; what the user says wins."""
    placed = [history(change("OPTED_OUT", "SURVEY_COMPLETED"))]
    assert participants(placed, DEFAULT_STATUSES, {})[0]["study_type"] == "survey"
    placed.append(history(change("INTERVIEW_SCHEDULED", None)))
    assert participants(placed, DEFAULT_STATUSES, {})[0]["study_type"] == "mixed"
    said = {"s": Study(study_type="interview")}
    assert participants(placed, DEFAULT_STATUSES, said)[0]["study_type"] == "interview"


@given(st.data())
def test_delivery_changes_nothing(data: st.DataObject) -> None:
    """Invariant 1, of the oracle itself: any feed of the changes gives the same tables."""
    changes = data.draw(workspaces())
    studies = data.draw(study_infos())
    as_of = data.draw(as_ofs(changes))
    folder: Folder = data.draw(feeds(changes))[-1]
    lines = read_lines(folder, DEFAULT_STATUSES)
    counts = accounting(lines)
    assert counts["lines"] == (
        counts["blank"] + counts["accepted"] + counts["other_events"] + sum(counts["rejected"].values())
    )
    assert counts["distinct_changes"] == len(changes)

    delivered = histories(deliveries(lines), as_of, DEFAULT_STATUSES)
    happened = histories(changes, as_of, DEFAULT_STATUSES)
    assert participants(delivered, DEFAULT_STATUSES, studies) == participants(
        happened,
        DEFAULT_STATUSES,
        studies,
    )
    assert gaps(delivered) == gaps(happened)
