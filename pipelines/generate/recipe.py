"""What to generate."""

from dataclasses import dataclass
from datetime import date

MOST_DAYS = 3660
FIRST_START = date(1970, 1, 5)
LAST_START = date(2199, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How much to generate, over which days, and how badly it is delivered.

    `participants` is people in studies; those who are in several studies count once for each. Changes happen on
    `days` days from `start` (UTC); deliveries may arrive after that. Shares are 0 to 1 of the changes:
    `duplicates` are delivered a second time, `late` ones arrive after the change that follows them (a participant's
    last change cannot), `lost` ones never arrive, and `malformed` adds one damaged copy, an extra line, to each.

    Raises:
        ValueError: a value is out of range; the message says which are possible.
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

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        if self.studies < 1:
            msg = f"studies is {self.studies}: ask for at least 1."
            raise ValueError(msg)
        if self.participants < self.studies:
            msg = (
                f"{self.participants} participants cannot fill {self.studies} studies: "
                "ask for at least one participant for each study."
            )
            raise ValueError(msg)
        if not 1 <= self.days <= MOST_DAYS:
            msg = f"days is {self.days}: choose from 1 to {MOST_DAYS}."
            raise ValueError(msg)
        if self.seed < 0:
            msg = f"seed is {self.seed}: choose 0 or a positive whole number."
            raise ValueError(msg)
        if not FIRST_START <= self.start <= LAST_START:
            msg = f"start is {self.start}: choose a day from {FIRST_START} to {LAST_START}."
            raise ValueError(msg)
        for name in ("duplicates", "late", "lost", "malformed"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                msg = f"{name} is {share}: choose a share from 0 to 1, such as 0.05 for one in twenty."
                raise ValueError(msg)
