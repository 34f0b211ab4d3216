"""The recipe for generated webhooks, and counts of what was generated."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.generate.clock import DAY, FIRST_MONDAY

MOST_DAYS = 3660
FIRST_START = FIRST_MONDAY.date()
LAST_START = date(2199, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How much to generate, over which days, and with which delivery problems.

    A person in several studies counts as several `participants`. Changes happen on `days` days from `start` (UTC);
    deliveries may arrive later. These are shares of the changes, 0 to 1: `duplicates` are delivered a second time,
    `late` ones arrive after the next change (never a participant's last change), `lost` ones never arrive, and
    `malformed` ones get a damaged copy as an additional line.

    `drift` is how much less people respond at the end than at the beginning: with 0.5, they skip half of their steps on
    the last day. With `burst_days`, participants are added in bursts, one every so many days.

    Raises:
        ValueError: a value is out of range. The message gives the range.
    """

    participants: int = 1_000
    studies: int = 8
    days: int = 60
    seed: int = 1
    start: date = date(2026, 6, 1)
    duplicates: float = 0.05
    late: float = 0.03
    lost: float = 0.01
    malformed: float = 0.01
    drift: float = 0
    burst_days: int = 0

    def __post_init__(self) -> None:
        """Check that all values are in range."""
        too_few = (
            f"{self.participants} participants cannot fill {self.studies} studies: "
            "ask for at least one participant for each study."
        )
        start = f"start is {self.start}: choose a day from {FIRST_START} to {LAST_START}."
        rules = [
            (self.studies >= 1, f"studies is {self.studies}: ask for at least 1."),
            (self.participants >= self.studies, too_few),
            (1 <= self.days <= MOST_DAYS, f"days is {self.days}: choose from 1 to {MOST_DAYS}."),
            (
                0 <= self.burst_days <= self.days,
                f"burst_days is {self.burst_days}: choose from 0 to {self.days}, the days.",
            ),
            (self.seed >= 0, f"seed is {self.seed}: choose 0 or a positive whole number."),
            (FIRST_START <= self.start <= LAST_START, start),
        ]
        for name in ("duplicates", "late", "lost", "malformed", "drift"):
            share = getattr(self, name)
            problem = f"{name} is {share}: choose a share from 0 to 1, such as 0.05 for one in twenty."
            rules.append((0 <= share <= 1, problem))
        for is_possible, problem in rules:
            if not is_possible:
                raise ValueError(problem)

    @property
    def begins(self) -> int:
        """The time from which changes can happen."""
        return (self.start - FIRST_START).days * DAY

    @property
    def ends(self) -> int:
        """The time from which no more changes happen."""
        return self.begins + self.days * DAY

    def skipped_share(self, moment: int) -> float:
        """The share of steps that people skip at this time because of `drift`."""
        return self.drift * (moment - self.begins) / (self.days * DAY)


@dataclass(slots=True)
class Tally:
    """What was generated: counts, which are updated while lines are made, and the files in order of arrival.

    `lines == changes - lost + repeated + sum(rejected) + other_events + blank`. `changes` includes lost ones,
    `repeated` are second deliveries, `late` are among the delivered ones, and `rejected` is by reason.
    """

    participants: int = 0
    lines: int = 0
    changes: int = 0
    lost: int = 0
    repeated: int = 0
    late: int = 0
    other_events: int = 0
    blank: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
