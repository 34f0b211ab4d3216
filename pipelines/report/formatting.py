"""Formats numbers, times and names for the report."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from math import floor

FEW = 20
"""A share of fewer people than this is shown as a count with its interval instead of a percentage."""

TO = "\N{EN DASH}"
NONE = TO
SPACE = "\N{NO-BREAK SPACE}"
LONGEST_NAME = 80

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def count(value: float | None) -> str:
    """1,234."""
    return NONE if value is None else f"{value:,.0f}"


def share(part: int | None, whole: int | None, value: float | None, low: float | None, high: float | None) -> str:
    """89%, or for few people: 3 of 7 (16-75%)."""
    if part is None or not whole or value is None or low is None or high is None:
        return NONE
    if whole < FEW:
        return f"{part}{SPACE}of{SPACE}{whole} ({_percent(low)}{TO}{_percent(high)}%)"
    return percent(value)


def band(value: float | None, low: float | None, high: float | None) -> str:
    """51% (39-61%). The interval is left out if its ends are None."""
    if value is None:
        return NONE
    return percent(value) if low is None or high is None else f"{percent(value)} ({_percent(low)}{TO}{_percent(high)}%)"


def interval(part: int | None, whole: int | None, low: float | None, high: float | None) -> str:
    """157 of 176; 95% interval 84 to 93%."""
    if part is None or not whole or low is None or high is None:
        return ""
    return f"{part:,} of {whole:,}; 95% interval {_percent(low)} to {_percent(high)}%"


def percent(value: float | None) -> str:
    """89%."""
    return NONE if value is None else f"{_percent(value)}%"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}"


def days(value: float | None) -> str:
    """A duration in days: 12 min, 5 h, 2.9 d, 51 d."""
    if value is None:
        return NONE
    length = timedelta(days=value)
    if length < timedelta(hours=1):
        return f"{length / timedelta(minutes=1):.0f}{SPACE}min"
    if length < timedelta(days=1):
        return f"{length / timedelta(hours=1):.0f}{SPACE}h"
    return f"{value:.1f}{SPACE}d" if value < 9.95 else f"{value:,.0f}{SPACE}d"  # noqa: PLR2004 - rounds to 10.0


def age(value: float | None) -> str:
    """A duration in days that is still growing. It is rounded down, as in the exported lists: 83.6 is 83 d."""
    if value is None or value < 1:
        return days(value)
    parts = 10 if value < 10 else 1  # noqa: PLR2004 - 10 days or more are shown as whole days
    return days(floor(value * parts) / parts)


def hours(value: float | None) -> str:
    """A duration in hours: 12 min, 5 h, 2.9 d, 51 d."""
    return NONE if value is None else days(value / 24)


def money(value: float | None, currency: str | None) -> str:
    """EUR 1,250 or EUR 12.50; without a currency if it is unknown."""
    if value is None:
        return NONE
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return f"{currency}{SPACE}{number}" if currency else number


def completed(number: int, limit: int | None, over: int) -> str:
    """153, 120 of 136, or 153 of 136, 17 over (the limit)."""
    if limit is None:
        return f"{number:,}"
    text = f"{number:,}{SPACE}of{SPACE}{limit:,}"
    return f"{text}, {over:,}{SPACE}over" if over else text


def day(value: date | None) -> str:
    """1 Aug 2026."""
    return NONE if value is None else f"{value.day}{SPACE}{value:%b %Y}".replace(" ", SPACE)


def moment(value: datetime | None) -> str:
    """1 Aug 2026, 18:00, in the time zone of the value."""
    return NONE if value is None else f"{day(value.date())}, {value:%H:%M}"


def span(value: timedelta) -> str:
    """7 days, 1 day, 6 hours."""
    if value >= timedelta(days=1):
        whole = value / timedelta(days=1)
        text = f"{whole:.0f}" if whole == int(whole) else f"{whole:.1f}"
        return f"{text} day{'' if text == '1' else 's'}"
    text = f"{value / timedelta(hours=1):.1f}".removesuffix(".0")
    return f"{text} hour{'' if text == '1' else 's'}"


def words(name: str) -> str:
    """A name of the reference tables in words: `Activity completed` for activity_completed, `Invalid JSON` for invalid_json."""
    return name.replace("_", " ").strip().capitalize().replace("json", "JSON") if name.islower() else name


def one_line(text: str) -> str:
    """Text from users on one line, without control and bidirectional formatting characters."""
    plain = _BIDI.sub("", text)
    spaced = "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in plain)
    return re.sub(r" {2,}", " ", spaced).strip() or "(blank)"


def cut(text: str, longest: int = LONGEST_NAME) -> str:
    """Text from users on one line of at most `longest` characters."""
    line = one_line(text)
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
