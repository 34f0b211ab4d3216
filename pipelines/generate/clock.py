"""The time of the generator: whole milliseconds since Monday 5 January 1970, 00:00 UTC.

Also the distributions of how long people take, and the hours in which they are awake or at work. They use only sums and
products, no logarithms, so that all platforms get the same milliseconds.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)

QUANTILES = 4_096
WEEK_HOURS = 168
OFFICE = range(8, 18)
WAKE_UP = 6


def stamp(moment: int) -> str:
    """A time in UTC without an offset: `2026-06-03T14:05:09.123`."""
    return (FIRST_MONDAY + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds").removesuffix("+00:00")


def unix(moment: int) -> int:
    """A time in milliseconds since 1970."""
    return int(FIRST_MONDAY.timestamp()) * SECOND + moment


def at_work(moment: int) -> int:
    """The time itself if it is in working hours, else a time in the next working hours."""
    return moment + AT_WORK[moment // HOUR % WEEK_HOURS]


def _quantiles(*points: tuple[float, float]) -> tuple[int, ...]:
    """The quantiles of a duration, in milliseconds. `points` are (share of people, hours they take at most)."""
    durations = []
    for (low, least), (high, most) in pairwise(points):
        count = round(high * QUANTILES) - round(low * QUANTILES)
        durations += [int((least + (most - least) * n / count) * HOUR) for n in range(count)]
    return tuple(durations)


def _until_work(hour_of_week: int) -> int:
    """The hours from an hour of the week to a working hour. The hours of a night lead to different working hours."""
    hour = hour_of_week % 24
    wait = 9 if hour < OFFICE.start else 15 if hour >= OFFICE.stop else 0
    weekend = {5: 48, 6: 24}
    return wait + weekend.get((hour_of_week + wait) // 24 % 7, 0)


AT_ONCE = (0,) * QUANTILES
MINUTES = _quantiles((0, 0.02), (0.5, 0.2), (0.9, 0.9), (1, 5))
HOURS = _quantiles((0, 0.05), (0.5, 5), (0.8, 22), (0.95, 70), (1, 240))
DAYS = _quantiles((0, 4), (0.5, 40), (0.8, 100), (0.95, 220), (1, 600))
ANY_TIME = (0,) * WEEK_HOURS
AWAKE = tuple(8 * HOUR if hour % 24 < WAKE_UP else 0 for hour in range(WEEK_HOURS))
AT_WORK = tuple(_until_work(hour) * HOUR for hour in range(WEEK_HOURS))
