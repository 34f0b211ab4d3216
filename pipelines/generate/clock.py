"""Time inside the generator: whole milliseconds since a Monday, midnight UTC, at least a week before the first day."""

from datetime import UTC, date, datetime, timedelta

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DELIVERY_DAYS = 60
"""Days with a text before and after the recipe's, for what arrives late or is written with another offset."""


class Clock:
    """Turns the generator's milliseconds into text, fast, for the days from `start` on."""

    def __init__(self, start: date, days: int) -> None:
        monday = start - timedelta(days=start.weekday() + 7)
        self.start = (start - monday).days * DAY
        self.end = self.start + days * DAY
        self._monday = int(datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp()) * SECOND
        # Tables instead of formatting: they write a time in a quarter of a microsecond.
        self.days = tuple(str(monday + timedelta(days=n)) for n in range(days + DELIVERY_DAYS))
        self.minutes = tuple(f"T{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))
        self.seconds = tuple(f"{second:02d}.{ms:03d}" for second in range(60) for ms in range(1_000))

    def stamp(self, moment: int) -> str:
        """The UTC date and time of a moment, without an offset: `2026-06-03T14:05:09.123`."""
        return self.days[moment // DAY] + self.minutes[moment // MINUTE % 1_440] + self.seconds[moment % MINUTE]

    def unix(self, moment: int) -> int:
        """Milliseconds since 1970."""
        return self._monday + moment
