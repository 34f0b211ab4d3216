"""Parse timestamps of webhooks and of the envelopes around them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_400_YEARS = timedelta(days=146_097)
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS, _MICROSECONDS = 10**11, 10**14
"""Numbers from these on are milliseconds or microseconds: as seconds, they would be after the year 5000."""
_SINCE_1970 = re.compile(r"\d{9,16}(?:\.\d{1,9})?", re.ASCII)


@lru_cache(maxsize=1)  # the timestamp of an envelope is parsed twice in a row
def parse_timestamp(text: str) -> datetime | None:
    """The instant of an RFC 3339 time with an offset, in UTC, cut to microseconds; None if it is not one."""
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        if text.startswith("0000"):  # Python has no year 0, but the offset can move the instant into the year 1
            return datetime.fromisoformat(f"0400{text[4:].upper()}").astimezone(UTC) - _400_YEARS
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_any_timestamp(value: Any) -> datetime | None:  # noqa: ANN401 - a member of an envelope can be anything
    """The instant of an RFC 3339 time, or of seconds, milliseconds or microseconds since 1970 (a number, or as text).

    None if the value is neither.
    """
    if isinstance(value, str) and (found := parse_timestamp(value)):
        return found
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _SINCE_1970.fullmatch(str(value)):
        return None
    number = float(value)
    if number >= _MICROSECONDS:
        return _1970 + timedelta(microseconds=number)
    return _1970 + (timedelta(milliseconds=number) if number >= _MILLISECONDS else timedelta(seconds=number))
