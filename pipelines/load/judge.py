"""What a line of a webhook file is: blank, an accepted change, another event, or rejected for one reason.

Lines are judged here and nowhere else. What a status means is not judged: statuses come from a table that users edit.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson

Outcome = Literal["blank", "accepted", "other", "rejected"]
Reason = Literal["invalid_json", "not_an_object", "missing_field", "invalid_type", "invalid_timestamp"]


class Judgement(NamedTuple):
    """What a line is and what it says. Only an accepted line has the fields from `participant_id` to `updated_at`.

    `says_more`: the fields do not hold all that the line says.
    """

    outcome: Outcome
    reason: Reason | None = None
    event_type: str | None = None
    svix_id: str | None = None
    received_at: datetime | None = None
    participant_id: str | None = None
    person_id: str | None = None
    study_id: str | None = None
    status: str | None = None
    prior_status: str | None = None
    updated_at: datetime | None = None
    says_more: bool = True


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EVENT = "participant.status_changed"
MEMBERS = ("_eventType", "participantId", "personId", "studyId", "status", "updatedAt")

_BLANK = Judgement("blank", says_more=False)
_INVALID_JSON = Judgement("rejected", "invalid_json")
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_400_YEARS = timedelta(days=146_097)
# Numbers that may be too large for a double; strings, so that no number is found in one.
_LARGE_NUMBERS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|(-?(?:0|[1-9]\d*+)(?:\.\d++)?[eE][+-]?\d++|-?[1-9]\d{300,}+(?:\.\d++)?)', re.DOTALL
)


def judge(raw: bytes) -> Judgement:
    """What a line is. It may have its newline."""
    text = raw.removeprefix(BYTE_ORDER_MARK)
    if not text.strip():
        return _BLANK
    try:
        document = _parse(text)
    except ValueError:
        return _INVALID_JSON
    if isinstance(document, dict) and "payload" in document and "_eventType" not in document:
        svix_id = _text(document.get("svix_id"))
        received_at = instant(_text(document.get("received_at")) or "")
        is_all = len(document) == 1 + (svix_id is not None) + (received_at is not None)
        return _judge_payload(document["payload"], svix_id, received_at, envelope_says_more=not is_all)
    return _judge_payload(document, None, None, envelope_says_more=False)


def is_document(text: bytes) -> bool:
    """Whether bytes without a newline are a whole JSON document, and not one that is still being written."""
    judgement = judge(text)
    return judgement.outcome != "blank" and judgement.reason != "invalid_json"


def instant(text: str) -> datetime | None:
    """The instant of an RFC 3339 time with an offset, in UTC, cut to microseconds; None if it is not one."""
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        if text.startswith("0000"):  # a year that Python does not have; an offset can bring it into the year 1
            return datetime.fromisoformat(f"0400{text[4:].upper()}").astimezone(UTC) - _400_YEARS
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _judge_payload(
    payload: Any,  # noqa: ANN401 - a JSON document can be anything
    svix_id: str | None,
    received_at: datetime | None,
    *,
    envelope_says_more: bool,
) -> Judgement:
    if not isinstance(payload, dict):
        return Judgement("rejected", "not_an_object", None, svix_id, received_at)
    values: list[Any] = [payload.get(name) for name in MEMBERS]
    event_type, participant_id, person_id, study_id, status, updated_at = values
    seen = (_text(event_type), svix_id, received_at)
    if isinstance(event_type, str) and event_type not in ("", EVENT):
        return Judgement("other", None, *seen)
    if None in values or "" in values:
        return Judgement("rejected", "missing_field", *seen)
    prior_status = payload.get("priorStatus")
    if set(map(type, values)) != {str} or not (prior_status is None or isinstance(prior_status, str)):
        return Judgement("rejected", "invalid_type", *seen)
    changed = instant(updated_at)
    if changed is None:
        return Judgement("rejected", "invalid_timestamp", *seen)
    says_more = envelope_says_more or len(payload) > len(MEMBERS) + ("priorStatus" in payload)
    return Judgement(
        "accepted", None, *seen, participant_id, person_id, study_id, status, prior_status, changed, says_more
    )


def _text(value: Any) -> str | None:  # noqa: ANN401
    return value if isinstance(value, str) else None


def _parse(text: bytes) -> Any:  # noqa: ANN401
    """The JSON document as RFC 8259 has it, the last value of a repeated key. Numbers are only known to be numbers.

    Raises:
        ValueError: it is no JSON, not UTF-8, or nested more than 1,024 deep.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        without = _without_large_numbers(text)
        if without is None:
            raise
        return orjson.loads(without)


def _without_large_numbers(text: bytes) -> bytearray | None:
    """The text with false for each number that orjson may have found too large; None if there is no such number."""
    without = None
    for found in _LARGE_NUMBERS.finditer(text):
        start, end = found.span(1)
        if start >= 0:
            without = without or bytearray(text)
            without[start:end] = b"false".ljust(end - start)
    return without
