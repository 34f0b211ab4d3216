"""Section 2: what becomes of every physical line."""

import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn

from .shapes import Part, take_apart

BOM = b"\xef\xbb\xbf"
EVENT = "participant.status_changed"
REQUIRED = ("_eventType", "participantId", "personId", "studyId", "status", "updatedAt")

RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]"
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))",
)
DAYS_IN_400_YEARS = 146_097


@dataclass(frozen=True)
class Delivery:
    """The six values that make a change."""

    participant_id: str
    person_id: str
    study_id: str
    status: str
    prior_status: str | None
    updated_at: datetime


@dataclass(frozen=True)
class Line:
    """A delivery in a physical line, or a line without one, and what became of it: blank, accepted, other_event or rejected.

    `position` is its place if the line is a batch, from 1, else 0.
    """

    source_file: str
    line_number: int
    outcome: str
    reason: str | None
    delivery: Delivery | None
    raw: bytes  # the line without its newline, or of a batch what is kept of a rejected delivery
    position: int = 0

    @property
    def text(self) -> str:
        """The line as text, for people; bytes that are not UTF-8 become U+FFFD."""
        return self.raw.decode("utf-8", errors="replace")


class RejectedError(Exception):
    """The line is rejected, for this reason."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)


def read_lines(files: Mapping[str, bytes], statuses: Container[str]) -> list[Line]:
    """Classify every line of the files, given by name with their decompressed content."""
    return [line for name, content in files.items() for line in _file(name, content, statuses)]


def accounting(lines: Iterable[Line]) -> dict[str, Any]:
    """Count outcomes, under the names that `studyflow status --json` gives them."""
    lines = list(lines)
    outcomes = Counter(line.outcome for line in lines)
    distinct = len({line.delivery for line in lines if line.delivery is not None})
    in_batches = [(line.source_file, line.line_number) for line in lines if line.position]
    return {
        "lines": len({(line.source_file, line.line_number) for line in lines}),
        "blank": outcomes["blank"],
        "accepted": outcomes["accepted"],
        "other_events": outcomes["other_event"],
        "rejected": dict(Counter(line.reason for line in lines if line.reason is not None)),
        "distinct_changes": distinct,
        "repeated_deliveries": outcomes["accepted"] - distinct,
        "batch_lines": len(set(in_batches)),
        "batch_deliveries": len(in_batches),
    }


def deliveries(lines: Iterable[Line]) -> list[Delivery]:
    """Return the accepted deliveries, repeated ones too."""
    return [line.delivery for line in lines if line.delivery is not None]


def _file(name: str, content: bytes, statuses: Container[str]) -> Iterator[Line]:
    *terminated, last = content.split(b"\n")
    for number, raw in enumerate(terminated, start=1):
        yield from _line(name, number, raw, statuses)
    if _is_document(last):  # else it may still be being written, and waits
        yield from _line(name, len(terminated) + 1, last, statuses)


def _line(name: str, number: int, raw: bytes, statuses: Container[str]) -> Iterator[Line]:
    text = raw.removeprefix(BOM)
    parts = take_apart(text, _document) if text.strip() else []
    if not parts:
        yield Line(name, number, "blank", None, None, raw)
    for place, part in enumerate(parts, start=1):
        position = place if part.in_batch else 0
        kept = raw if part.text is None else part.text
        try:
            delivery = _parse(part, statuses)
        except RejectedError as rejected:
            yield Line(name, number, "rejected", str(rejected), None, kept, position)
        else:
            outcome = "other_event" if delivery is None else "accepted"
            yield Line(name, number, outcome, None, delivery, kept, position)


def _document(text: bytes) -> object:
    try:
        return _json(text)
    except RejectedError as error:
        raise ValueError(text) from error


def _parse(part: Part, statuses: Container[str]) -> Delivery | None:
    """Return the delivery, or None for an event of another type."""
    payload = part.payload
    if not part.is_json:
        raise RejectedError(reason="invalid_json")
    if not isinstance(payload, dict):
        raise RejectedError(reason="not_an_object")
    event = payload.get("_eventType")
    if isinstance(event, str) and event not in {"", EVENT}:
        return None
    if any(payload.get(field) in (None, "") for field in REQUIRED):
        raise RejectedError(reason="missing_field")
    prior_status = payload.get("priorStatus")
    if not all(isinstance(payload[field], str) for field in REQUIRED):
        raise RejectedError(reason="invalid_type")
    if not isinstance(prior_status, str | None):
        raise RejectedError(reason="invalid_type")
    updated_at = instant(payload["updatedAt"])
    if updated_at is None:
        raise RejectedError(reason="invalid_timestamp")
    if payload["status"] not in statuses:
        raise RejectedError(reason="unknown_status")
    if prior_status is not None and prior_status not in statuses:
        raise RejectedError(reason="unknown_prior_status")
    return Delivery(
        payload["participantId"],
        payload["personId"],
        payload["studyId"],
        payload["status"],
        prior_status,
        updated_at,
    )


def _is_document(raw: bytes) -> bool:
    text = raw.removeprefix(BOM)
    if not text.strip():
        return False
    return _is_json(text) or any(part.is_json for part in take_apart(text, _document))


def _is_json(raw: bytes) -> bool:
    try:
        _json(raw)
    except RejectedError:
        return False
    return True


def _json(raw: bytes) -> object:
    """Parse strictly (RFC 8259). The last of duplicate keys holds.

    A lone surrogate escape is refused: no UTF-8 text can hold it. Numbers are not kept (a huge
    one is no error), and what is nested too deep for Python's parser counts as invalid.
    """
    try:
        text = raw.decode("utf-8")
        document = json.loads(
            text,
            parse_constant=_refuse,
            parse_int=lambda _: 0,
            parse_float=lambda _: 0.0,
            object_pairs_hook=_last_of_each,
        )
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise RejectedError(reason="invalid_json") from None
    return document


def _last_of_each(members: list[tuple[str, object]]) -> dict[str, object]:
    """Keep the last value of each key, after a look at those that go: they must be text, too."""
    json.dumps(members, ensure_ascii=False).encode("utf-8")
    return dict(members)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def instant(text: str) -> datetime | None:
    """Read an RFC 3339 time with its offset, cut to microseconds; None if it is not one."""
    match = RFC_3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, offset_hour, offset_minute = match.groups()[6:]
    ahead = 60 * int(offset_hour or 0) + int(offset_minute or 0)
    if hour > 23 or minute > 59 or second > 59 or int(offset_hour or 0) > 23:
        return None
    if int(offset_minute or 0) > 59:
        return None
    try:
        # Python has no year 0, which an offset can bring into year 1; 400 years on is its like.
        shift = DAYS_IN_400_YEARS if year == 0 else 0
        days = date(year or 400, month, day).toordinal() - shift
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(
            days=days - 1,
            minutes=60 * hour + minute + (ahead if sign == "-" else -ahead),
            seconds=second,
            microseconds=int((fraction or "")[:6].ljust(6, "0")),
        )
    except (ValueError, OverflowError):
        return None
