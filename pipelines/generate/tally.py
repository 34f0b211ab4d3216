"""Counts of what was generated."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Tally:
    """Counts that grow while lines are made.

    `lines == changes - lost + repeated + sum(rejected) + other_events + blank`. `changes` happened, delivered or not;
    `repeated` are second deliveries; `late` and `enveloped` are among the delivered; `rejected` is by reason.
    """

    participants: int = 0
    persons: int = 0
    lines: int = 0
    changes: int = 0
    lost: int = 0
    repeated: int = 0
    late: int = 0
    enveloped: int = 0
    other_events: int = 0
    blank: int = 0
    rejected: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Generated(Tally):
    """What `generate` made: the counts, and the `files` in order of arrival."""

    files: tuple[Path, ...] = ()
