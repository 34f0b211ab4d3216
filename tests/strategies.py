"""Hypothesis strategies: journeys of participants, and what delivery does to them.

`workspaces()` draws what happened, `feeds(changes)` what arrives of it, `as_ofs(changes)` a moment
to report on, and `study_infos()` what a user says about the studies. All of them are small on
purpose: coarse clocks, few ids and few statuses make ties, repeats and gaps frequent.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from oracle.lines import Delivery
from oracle.reference import DEFAULT_STATUSES, Study

Folder = dict[str, bytes]  # file name to content, not compressed

START = datetime(2025, 3, 3, tzinfo=UTC)
# What clocks say that were never set. Python has no day before the year 1, and the oracle counts windows back from a
# moment, so this is not quite where Go's clock begins.
NEVER_SET = (datetime(3, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
STATUSES = tuple(DEFAULT_STATUSES)
STUDIES = ("study-1", "study-2", "study-3")
PERSONS = ("person-1", "person-2", "person-3")

# None and the small steps come often, so that several changes share an instant.
STEPS = tuple(
    timedelta(**step)
    for step in (
        {},
        {},
        {"microseconds": 1},
        {"seconds": 1},
        {"minutes": 30},
        {"hours": 5},
        {"days": 1},
        {"days": 3, "hours": 1},
        {"days": 8},
        {"days": 40},
    )
)

# Where a participant goes from a status when Rally moves them.
MOVES: dict[str | None, tuple[str, ...]] = {
    None: ("NOT_STARTED", "INVITE_SENT", "INTERVIEW_INVITE_SENT"),
    "NOT_STARTED": ("INVITE_SENT", "INTERVIEW_INVITE_SENT", "NOT_ELIGIBLE"),
    "INVITE_SENT": (
        "INVITE_SENT",
        "SCREENER_STARTED",
        "SURVEY_STARTED",
        "UNMODERATED_TEST_STARTED",
        "EMAIL_HARD_BOUNCED",
        "OPTED_OUT",
    ),
    "SCREENER_STARTED": ("SCREENER_COMPLETED", "SCREENER_QUALIFIED", "SCREENER_DISQUALIFIED"),
    "SCREENER_COMPLETED": ("SCREENER_QUALIFIED", "INTERVIEW_INVITE_SENT"),
    "SCREENER_QUALIFIED": ("INTERVIEW_INVITE_SENT", "UNMODERATED_TEST_INVITE_SENT", "CANCELLED"),
    "INTERVIEW_INVITE_SENT": ("INTERVIEW_SCHEDULED", "INTERVIEW_INVITE_SENT", "OPTED_OUT"),
    "INTERVIEW_SCHEDULED": ("INTERVIEW_COMPLETED", "INTERVIEW_CANCELLED", "INTERVIEW_NO_SHOWED"),
    "INTERVIEW_NO_SHOWED": ("INTERVIEW_SCHEDULED", "CANCELLED"),
    "INTERVIEW_CANCELLED": ("INTERVIEW_SCHEDULED",),
    "INTERVIEW_COMPLETED": ("INCENTIVE_SENT", "INTERVIEW_NO_SHOWED", "OPTED_OUT"),
    "SURVEY_STARTED": ("SURVEY_COMPLETED",),
    "SURVEY_COMPLETED": ("INCENTIVE_SENT", "INCENTIVE_SKIPPED", "EMAIL_SOFT_BOUNCED"),
    "UNMODERATED_TEST_INVITE_SENT": ("UNMODERATED_TEST_STARTED", "EMAIL_SOFT_BOUNCED"),
    "UNMODERATED_TEST_STARTED": ("UNMODERATED_TEST_COMPLETED",),
    "UNMODERATED_TEST_COMPLETED": ("INCENTIVE_SENT", "COMPLETED_STUDY"),
    "INCENTIVE_SENT": ("INCENTIVE_CLAIMED", "INCENTIVE_SENT", "EMAIL_SOFT_BOUNCED"),
    "EMAIL_SOFT_BOUNCED": ("INCENTIVE_SENT", "INVITE_SENT", "EMAIL_HARD_BOUNCED"),
}


@st.composite
def journeys(draw: st.DrawFn, participant_id: str, *, longest: int = 8) -> list[Delivery]:
    """Draw one participant's changes, some of them lost, made by hand, or tied."""
    person_id, study_id = draw(st.sampled_from(PERSONS)), draw(st.sampled_from(STUDIES))
    at = START + draw(st.sampled_from(STEPS))
    status: str | None = None
    changes = []
    for _ in range(draw(st.integers(1, longest))):
        by_hand = draw(st.integers(0, 5)) == 0
        moves = MOVES.get(status, ()) if not by_hand else ()
        prior, status = status, draw(st.sampled_from(moves or STATUSES))
        changes.append(Delivery(participant_id, person_id, study_id, status, prior, at))
        at += draw(st.sampled_from(STEPS))
    kept = [change for change in changes if draw(st.integers(0, 6))]
    return [_damaged(draw, change) for change in kept]


def _damaged(draw: st.DrawFn, change: Delivery) -> Delivery:
    """Now and then let a change disagree with the others of its participant."""
    damage = draw(st.integers(0, 30))
    if damage == 1:
        return replace(change, person_id=draw(st.sampled_from(PERSONS)))
    if damage == 2:
        return replace(change, study_id=draw(st.sampled_from(STUDIES)))
    if damage == 3:
        return replace(change, prior_status=draw(st.none() | st.sampled_from(STATUSES)))
    if damage == 4:
        return replace(change, updated_at=draw(st.sampled_from(NEVER_SET)))
    return change


@st.composite
def tangles(draw: st.DrawFn, participant_id: str, *, largest: int = 6) -> list[Delivery]:
    """Draw changes of one participant that make no sense, at one or two instants."""
    few = st.sampled_from(draw(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=4)))
    return draw(
        st.lists(
            st.builds(
                Delivery,
                st.just(participant_id),
                st.sampled_from(PERSONS[:2]),
                st.sampled_from(STUDIES[:2]),
                few,
                st.none() | few,
                st.sampled_from([START, START + timedelta(microseconds=1)]),
            ),
            min_size=1,
            max_size=largest,
        ),
    )


@st.composite
def workspaces(draw: st.DrawFn, *, most: int = 4) -> list[Delivery]:
    """Draw the changes of several participants, which share persons and studies."""
    changes: list[Delivery] = []
    for number in range(draw(st.integers(0, most))):
        name = f"participant-{number}"
        changes += draw(st.one_of(journeys(name), journeys(name), journeys(name), tangles(name)))
    return list(dict.fromkeys(changes))


def as_ofs(changes: Sequence[Delivery]) -> st.SearchStrategy[datetime]:
    """Draw a moment to report on: at a change, just beside one, or long after all."""
    instants = sorted({change.updated_at for change in changes}) or [START]
    beside = st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(days=2)])
    return st.just(instants[-1] + timedelta(days=60)) | st.builds(
        lambda at, step: at + step,
        st.sampled_from(instants),
        beside,
    )


def first_days() -> st.SearchStrategy[date]:
    """Draw the day that daily tables begin with: before everything that clocks have right, or in the middle of it.

    The oracle looks at each day on its own, so none is decades away.
    """
    return st.sampled_from([-1, 0, 1, 9, 60]).map(lambda days: START.date() + timedelta(days=days))


def study_infos() -> st.SearchStrategy[dict[str, Study]]:
    """Draw what a studies.csv says, about some of the studies and of one never seen."""
    return st.dictionaries(
        st.sampled_from([*STUDIES, "study-unseen"]),
        st.builds(
            Study,
            study_type=st.sampled_from([None, "interview", "survey", "unmoderated_test", "mixed"]),
            incentives_enabled=st.sampled_from([None, True, False]),
            incentive_type=st.sampled_from([None, "tremendous", "custom", "external"]),
            incentive_cents=st.sampled_from([None, 0, 7500]),
            currency=st.sampled_from([None, "EUR", "JPY"]),
            participation_limit=st.sampled_from([None, 1, 10]),
            closed_on=st.sampled_from([None, "2025-03-10", "2025-06-01"]),
        ),
    )


# Lines that are no change, with what becomes of them.
VALID: dict[str, Any] = {
    "_eventType": "participant.status_changed",
    "participantId": "participant-0",
    "personId": "person-1",
    "studyId": "study-1",
    "status": "INVITE_SENT",
    "priorStatus": None,
    "updatedAt": "2025-03-03T00:00:00Z",
}


def valid_but(**fields: object) -> bytes:
    """Write a valid payload with some of its fields replaced."""
    return json.dumps(VALID | fields).encode()


NOISE: tuple[tuple[bytes, str, str | None], ...] = (
    (b"", "blank", None),
    (b" \t ", "blank", None),
    (b"\r", "blank", None),
    (b'{"_eventType": "person.opted_out", "email": "a@b.c"}', "other_event", None),
    (b'{"_eventType": "person_import.api.finished"}', "other_event", None),
    (b"not json", "rejected", "invalid_json"),
    (b'{"a": 1,}', "rejected", "invalid_json"),
    (b'{"a": NaN}', "rejected", "invalid_json"),
    (b'{"a": -Infinity}', "rejected", "invalid_json"),
    (b'{"a": 01}', "rejected", "invalid_json"),
    (b"{'a': 1}", "rejected", "invalid_json"),
    (b'{"a": "\x01"}', "rejected", "invalid_json"),
    (b'{"a": "\xff"}', "rejected", "invalid_json"),
    (valid_but() + b" trailing", "rejected", "invalid_json"),
    (valid_but()[:40], "rejected", "invalid_json"),
    (b"[1, 2]", "rejected", "not_an_object"),
    (b"null", "rejected", "not_an_object"),
    (b'"text"', "rejected", "not_an_object"),
    (b'{"svix_id": "m", "received_at": "now", "payload": []}', "rejected", "not_an_object"),
    (b"{}", "rejected", "missing_field"),
    (valid_but(_eventType=None), "rejected", "missing_field"),
    (valid_but(personId=""), "rejected", "missing_field"),
    (valid_but(updatedAt=None, status=7), "rejected", "missing_field"),
    (valid_but(_eventType=1), "rejected", "invalid_type"),
    (valid_but(participantId=12345), "rejected", "invalid_type"),
    (valid_but(studyId=["study-1"]), "rejected", "invalid_type"),
    (valid_but(priorStatus=False, updatedAt="never"), "rejected", "invalid_type"),
    (valid_but(updatedAt="2025-03-03T00:00:00"), "rejected", "invalid_timestamp"),
    (valid_but(updatedAt="2025-02-29T00:00:00Z"), "rejected", "invalid_timestamp"),
    (valid_but(updatedAt="2025-03-03T24:00:00Z"), "rejected", "invalid_timestamp"),
    (valid_but(updatedAt="2025-03-03T23:59:60Z"), "rejected", "invalid_timestamp"),
    (valid_but(updatedAt=" 2025-03-03T00:00:00Z"), "rejected", "invalid_timestamp"),
    (valid_but(updatedAt="infinity", status="NEW"), "rejected", "invalid_timestamp"),
    (valid_but(status="invite_sent"), "rejected", "unknown_status"),
    (valid_but(status="NEW", priorStatus="NEW"), "rejected", "unknown_status"),
    (valid_but(priorStatus="NEW"), "rejected", "unknown_prior_status"),
)


@st.composite
def written(draw: st.DrawFn, change: Delivery) -> bytes:
    """Draw one of the many ways to write a change down."""
    payload: dict[str, Any] = {
        "_eventType": "participant.status_changed",
        "participantId": change.participant_id,
        "personId": change.person_id,
        "studyId": change.study_id,
        "status": change.status,
        "priorStatus": change.prior_status,
        "updatedAt": draw(_written_time(change.updated_at)),
    }
    if change.prior_status is None and draw(st.booleans()):
        del payload["priorStatus"]
    if draw(st.booleans()):
        payload |= {"new": {"field": [1.5e300, None, "\u00e9\u2028"]}}
    if draw(st.booleans()):
        payload = dict(reversed(payload.items()))
    if draw(st.integers(0, 3)) == 0:
        payload = {"svix_id": "msg_1", "received_at": "2025-03-03T00:00:00Z", "payload": payload}
    text = json.dumps(
        payload,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :  ")])),
    )
    return draw(st.sampled_from(["", "", " ", "\ufeff"])).encode() + text.encode()


@st.composite
def _written_time(draw: st.DrawFn, at: datetime) -> str:
    """Draw an offset and a number of decimals; beyond microseconds they are cut."""
    minutes = draw(st.sampled_from([0, 0, 60, 330, -210, 840, -720, 1439, -1439]))
    local = at.astimezone(timezone(timedelta(minutes=minutes)))
    text = local.replace(microsecond=0, tzinfo=None).isoformat()
    if local.microsecond or draw(st.booleans()):
        text += f".{local.microsecond:06}" + draw(st.sampled_from(["", "0", "999"]))
    if minutes == 0:
        return text + draw(st.sampled_from(["Z", "z", "+00:00", "-00:00"]))
    hours, rest = divmod(abs(minutes), 60)
    return f"{text}{'+' if minutes > 0 else '-'}{hours:02}:{rest:02}"


@st.composite
def feeds(draw: st.DrawFn, changes: Sequence[Delivery], *, batches: int = 3) -> list[Folder]:
    """Draw what a folder holds after each of some batches.

    Every change arrives at least once, in any order, in any file. Files only grow; one that does
    may have ended in the middle of a line. In the last folder every change is whole.
    """
    repeated = draw(st.lists(st.sampled_from(changes), max_size=5)) if changes else []
    lines = [draw(written(change)) for change in [*changes, *repeated]]
    lines += [line for line, _, _ in draw(st.lists(st.sampled_from(NOISE), max_size=6))]
    whole: Folder = {}
    for line in draw(st.permutations(lines)):
        name = draw(st.sampled_from(["a.jsonl", "b.ndjson", "c.jsonl"]))
        whole[name] = whole.get(name, b"") + line + draw(st.sampled_from([b"\n", b"\r\n"]))
    unended = draw(st.sampled_from(["", *sorted(whole)]))
    if unended:  # a last line needs no newline if it is a whole document
        whole[unended] = whole[unended].removesuffix(b"\n")
    states = [whole]
    for _ in range(draw(st.integers(0, batches - 1))):
        later = states[0]
        cuts = {name: draw(st.integers(0, len(content))) for name, content in later.items()}
        states.insert(0, {name: later[name][:cut] for name, cut in cuts.items() if cut})
    return states
