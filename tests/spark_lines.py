"""Webhook lines at which engines differ, if they do: for test_spark.py."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from awkward_lines import AWKWARD
from oracle.lines import Delivery
from strategies import START, valid_but
from test_hostile_ids import IDS
from test_ties import tied


def line(delivery: Delivery) -> bytes:
    """The webhook of a change."""
    return valid_but(
        participantId=delivery.participant_id,
        personId=delivery.person_id,
        studyId=delivery.study_id,
        status=delivery.status,
        priorStatus=delivery.prior_status,
        updatedAt=delivery.updated_at.isoformat(),
    )


def hostile_lines() -> Iterator[bytes]:
    """Lines at which engines differ, if they do: ties of any size, clocks never set, odd ids, people who disagree."""
    for sizes in ((60,), (1, 61, 1), (2, 70, 3), (12, 12), (3, 2, 3)):
        for second, size in enumerate(sizes):
            yield from map(line, tied(f"tied {sizes}", second, size))
    years = (
        "0001-01-01T00:00:00Z",
        "1582-10-10T12:00:00.000001Z",
        "1883-11-18T17:00:00Z",
        "9999-12-30T23:59:59.999999Z",
    )
    for number, year in enumerate(years):
        yield valid_but(participantId=f"of year {number}", personId="of all years", updatedAt=year)
        yield valid_but(
            participantId="of all years", status="SCREENER_STARTED", priorStatus="INVITE_SENT", updatedAt=year
        )
    for number, odd in enumerate(IDS):
        for status, prior in (("INVITE_SENT", None), ("INTERVIEW_COMPLETED", "INVITE_SENT"), ("NO SUCH", odd)):
            at = START + timedelta(days=number, hours=len(status))
            yield valid_but(
                participantId=odd, personId=odd, studyId=odd, status=status, priorStatus=prior, updatedAt=at.isoformat()
            )
    for number in range(40):
        at = START + timedelta(minutes=number)
        yield valid_but(
            participantId=f"conflicting {number % 4}",
            personId=f"person {number % 3}",
            studyId=f"study {number % 5}",
            updatedAt=at.isoformat(),
        )
    yield from filling()
    yield from opt_outs()
    # clocks are put forward and back by half an hour in Lord Howe, by an hour in New York
    for number in range(400):
        at = datetime(2025, 10, 4, tzinfo=UTC) + timedelta(minutes=17 * number)
        yield valid_but(participantId=f"at night {number % 50}", status="INTERVIEW_SCHEDULED", updatedAt=at.isoformat())
    yield from AWKWARD


def filling() -> Iterator[bytes]:
    """Studies that are being filled, for forecasts: of 128 and of 20 people, who complete, are lost or stay active."""
    ends = ((5, "SURVEY_COMPLETED"), (11, "CANCELLED"), (2, "SURVEY_STARTED"))
    for study, people in (("filling", 128), ("slow", 20)):
        for number in range(people):
            who = {"participantId": f"{study} {number}", "personId": f"{study} {number}", "studyId": study}
            at = datetime(2026, 6, 2, tzinfo=UTC) + timedelta(hours=10 * number)
            yield valid_but(**who, status="INVITE_SENT", updatedAt=at.isoformat())
            for every, status in ends:
                if number % every == 0:
                    at += timedelta(hours=number % 17, minutes=number)
                    yield valid_but(**who, status=status, priorStatus="INVITE_SENT", updatedAt=at.isoformat())
                    break


ADDRESSES = ("a@example.org", "İ ΟΔΟΣ Σ@example.org", "7.6")
"""Of the people of one row each in people.csv. Spark has other small letters for the second."""


def opt_outs() -> Iterator[bytes]:
    """Events with an address, whose texts and times engines read differently if they may."""
    times = (
        *(
            "2026-06-01T10:00:00Z",
            "2026-06-02t10:00:00.1234567z",
            "2026-06-03T10:00:00.5+05:45",
            "0001-01-01T00:00:00Z",
        ),
        *(
            "2026-06-04T10:00Z",
            "2026-06-05T24:00:00Z",
            "2026-06-06T10:00:00UTC",
            "2026-06-07T10:00:00+19:00",
            "2026-06-08",
        ),
        *("2026-02-30T10:00:00Z", "2026-06-09T10:00:00 Z", "2026-06-10T10:00:00", 20260611),
    )
    addresses = (*ADDRESSES, *(f" {address.upper()} " for address in ADDRESSES), "\u00a0a@example.org", 7.6, None)
    for number, at in enumerate(times):
        for address in addresses:
            said = {"email": address, "optedOut": number % 3 > 0, "updatedAt": at}
            event = {"_eventType": "person.opted_out"} | said
            yield json.dumps(event, ensure_ascii=number % 2 == 0).encode()
            yield json.dumps({"payload": event, "svix_id": "m"}).encode()
    yield b'{"_eventType":"person.opted_out","email":"\\u0061@example.org","optedOut":"true","updatedAt":"2026-06-12T10:00:00Z"}'
