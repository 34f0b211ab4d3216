"""Lines that a load must reject, one way or more for each reason of rejection."""

import re
from collections.abc import Callable

Damage = Callable[[str], str]


def damaged(line: str, number: int) -> tuple[str, str]:
    """The reason for rejection and a damaged copy of a payload line; `number` chooses among the ways, in turn."""
    reason = REASONS[number % len(REASONS)]
    ways = WAYS[reason]
    return reason, ways[number // len(REASONS) % len(ways)](line)


def _replaced(field: str, value: str) -> Damage:
    """Replace a field's value with other JSON."""
    return lambda line: re.sub(rf'("{field}":)("[^"]*"|null)', lambda found: found[1] + value, line, count=1)


def _without(field: str) -> Damage:
    """Leave a field out."""
    return lambda line: re.sub(rf'"{field}":("[^"]*"|null),?', "", line, count=1).replace(",}", "}")


def _written(template: str) -> Damage:
    """The line within other text, or another document in its place."""
    return lambda line: template.replace("…", line)


WAYS: dict[str, tuple[Damage, ...]] = {
    "invalid_json": (
        lambda line: line[: len(line) * 2 // 3],
        # Lines are written as Latin-1, so this character becomes a byte that UTF-8 never has.
        lambda line: line.replace('"status":"', '"status":"\xff', 1),
        _written("… attempt=2"),
    ),
    "not_an_object": (_written("[null]"), _written("null"), _written('"participant.status_changed"'), _written("42")),
    "missing_field": (
        _without("status"),
        _replaced("personId", "null"),
        _replaced("studyId", '""'),
        _without("_eventType"),
        _without("updatedAt"),
    ),
    "invalid_type": (
        _replaced("participantId", "7001"),
        _replaced("status", '["INVITE_SENT"]'),
        _replaced("updatedAt", "1780495509123"),
        _replaced("priorStatus", "false"),
    ),
    "invalid_timestamp": (
        lambda line: re.sub(r'("updatedAt":"[^"]*)Z"', r'\1"', line),
        _replaced("updatedAt", '"2026-02-30T09:00:00.000Z"'),
        _replaced("updatedAt", '"2026-06-03"'),
        _replaced("updatedAt", '"yesterday"'),
        _replaced("updatedAt", '"2026-06-03T25:00:00.000Z"'),
    ),
    "unknown_status": (_replaced("status", '"INTERVIEW_RESCHEDULED"'), _replaced("status", '"invite_sent"')),
    "unknown_prior_status": (_replaced("priorStatus", '"WAITLISTED"'),),
}
REASONS = tuple(WAYS)
