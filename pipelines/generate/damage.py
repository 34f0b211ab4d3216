"""Makes lines that a load must reject, in one or more ways for each reason."""

import re
from collections.abc import Callable

Damage = Callable[[str], str]


def damaged(line: str, number: int) -> tuple[str, str]:
    """A reason for rejection, and a damaged copy of a payload line. Consecutive numbers give all ways in turn."""
    reason = REASONS[number % len(REASONS)]
    damages = DAMAGES[reason]
    return reason, damages[number // len(REASONS) % len(damages)](line)


def _replaced(field: str, value: str) -> Damage:
    """Replace the value of a field with other JSON."""
    return lambda line: re.sub(rf'("{field}":)("[^"]*"|null)', lambda match: match[1] + value, line, count=1)


def _without(field: str) -> Damage:
    """Remove a field."""
    return lambda line: re.sub(rf'"{field}":("[^"]*"|null),?', "", line, count=1).replace(",}", "}")


def _within(template: str) -> Damage:
    """Replace the line with the template, in which … stands for the line."""
    return lambda line: template.replace("…", line)


DAMAGES: dict[str, tuple[Damage, ...]] = {
    "invalid_json": (
        lambda line: line[: len(line) * 2 // 3],
        # Lines are encoded as Latin-1, so this character becomes a byte that is invalid in UTF-8.
        lambda line: line.replace('"status":"', '"status":"\xff', 1),
        _within("… attempt=2"),
    ),
    "not_an_object": (_within("[null]"), _within("null"), _within('"participant.status_changed"'), _within("42")),
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
REASONS = tuple(DAMAGES)
