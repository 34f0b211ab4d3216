"""Judge lines of webhook files. Each delivery in a line is accepted, another event, or rejected for one reason.

This is the only place that judges lines. Statuses are checked later, because they come from a table that users edit.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pipelines.load.documents import JsonText, document_spans, parse
from pipelines.load.shapes import EVENT_TYPE, Part, Shape, parts_in
from pipelines.load.timestamps import parse_any_timestamp, parse_timestamp

Outcome = Literal["blank", "accepted", "other", "rejected"]
Reason = Literal["invalid_json", "not_an_object", "missing_field", "invalid_type", "invalid_timestamp"]


class Judgement(NamedTuple):
    """The outcome and fields of a delivery. Only an accepted one has the fields from `participant_id` to `updated_at`.

    `position`: its place in a batch, from 1; 0 if the line is a single delivery. `shape`: names of the shapes around
    it, outermost first; None if it is bare or in the receiver's envelope. `says_more`: the delivery has members that no
    field holds. `text`: the text of the delivery if that is not the whole line.
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
    position: int = 0
    shape: str | None = None
    text: bytes | None = None


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EVENT = "participant.status_changed"
MEMBERS = (EVENT_TYPE, "participantId", "personId", "studyId", "status", "updatedAt")

BLANK = Judgement("blank", says_more=False)


def judge(raw: bytes, shapes: Sequence[Shape] = ()) -> list[Judgement]:
    """A judgement for each delivery in a line; `[BLANK]` if there is none. The line may end in a newline.

    `shapes`: those of the table, in the order to try them.
    """
    return [judgement for _, judgement in judged_parts(raw, shapes)] or [BLANK]


def judged_parts(raw: bytes, shapes: Sequence[Shape]) -> Iterator[tuple[Part, Judgement]]:
    """Each delivery in a line as a `Part`, which says where it is, with its judgement. Nothing for a blank line."""
    line = JsonText(raw.removeprefix(BYTE_ORDER_MARK))
    if line.content.strip():
        for position, part in enumerate(_parts(line, shapes), start=1):
            yield part, _judge_part(part, position, line)


def _parts(line: JsonText, shapes: Sequence[Shape]) -> Iterator[Part]:
    """The webhooks in a line that is not blank. A line that cannot be parsed is one part; an empty batch has none."""
    try:
        part = Part(parse(line.content))
    except ValueError:
        yield from _parts_in_sequence(line, shapes)
    else:
        yield from parts_in(part, shapes)


def is_document(text: bytes) -> bool:
    """Whether a last line without a newline is complete JSON: one document, or a sequence of them."""
    try:
        parse(text.removeprefix(BYTE_ORDER_MARK))
    except ValueError:
        return any(part.is_json for part in _parts_in_sequence(JsonText(text.removeprefix(BYTE_ORDER_MARK)), ()))
    return True


def _parts_in_sequence(line: JsonText, shapes: Sequence[Shape]) -> Iterator[Part]:
    """The webhooks in a sequence of documents. If none of these is JSON, the line is one part that is not JSON."""
    pieces = [JsonText(line.content[begin:end]) for begin, end in document_spans(line.content) or ()]
    parsed = [_parsed(number, piece) for number, piece in enumerate(pieces)]
    if not any(part.is_json for part in parsed):
        yield Part(None, is_json=False)
        return
    for part in parsed:
        yield from parts_in(part, shapes, 1) if part.is_json else (part,)


def _parsed(number: int, piece: JsonText) -> Part:
    part = Part(None, ("sequence",), (number,), piece, element=(piece, ()), is_json=False)
    try:
        return part._replace(document=parse(piece.content), is_json=True)
    except ValueError:
        return part


def _judge_part(part: Part, position: int, line: JsonText) -> Judgement:
    """The judgement of a part. The text of a rejected part includes its envelope, because the fault may be there."""
    judgement = _judge(part)
    shape = "/".join(part.names) or None
    position = position if part.element else 0
    is_rejected = judgement.outcome == "rejected"
    if not judgement.says_more or not (part.element or (shape and not is_rejected)):
        return judgement._replace(position=position, shape=shape) if shape else judgement
    root, steps = part.element if part.element and is_rejected else (part.root, part.steps)
    return judgement._replace(position=position, shape=shape, text=(root or line).part(steps))


def _id(value: Any) -> str | None:  # noqa: ANN401
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _judge(part: Part) -> Judgement:
    """The judgement of a part, regardless of what is around it."""
    svix_id, received_at = _id(part.delivery_id), parse_any_timestamp(part.received_at)
    payload = part.document
    if not part.is_json or not isinstance(payload, dict):
        return Judgement("rejected", "not_an_object" if part.is_json else "invalid_json", None, svix_id, received_at)
    values: list[Any] = [payload.get(name) for name in MEMBERS]
    event_type, participant_id, person_id, study_id, status, updated_at = values
    common = (event_type if isinstance(event_type, str) else None, svix_id, received_at)
    if isinstance(event_type, str) and event_type not in ("", EVENT):
        return Judgement("other", None, *common)
    if None in values or "" in values:
        return Judgement("rejected", "missing_field", *common)
    prior_status = payload.get("priorStatus")
    if set(map(type, values)) != {str} or not (prior_status is None or isinstance(prior_status, str)):
        return Judgement("rejected", "invalid_type", *common)
    changed = parse_timestamp(updated_at)
    if changed is None:
        return Judgement("rejected", "invalid_timestamp", *common)
    says_more = part.envelope_says_more or len(payload) > len(MEMBERS) + ("priorStatus" in payload)
    return Judgement(
        "accepted", None, *common, participant_id, person_id, study_id, status, prior_status, changed, says_more
    )
