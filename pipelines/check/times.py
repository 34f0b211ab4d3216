"""Times in polars frames. Impossible times, which a check is there to find, must not make it crash."""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FIRST_INSTANT = datetime.fromisoformat("0001-01-01T00:00:00Z")
LAST_INSTANT = datetime.fromisoformat("9999-12-31T23:59:59.999999Z")


def clip_times(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The rows, with times before the year 1 or after 9999 (including infinity) replaced by the first or last instant.

    polars can hold such times, but neither polars nor Python can format them.
    """
    from polars import selectors  # noqa: PLC0415 - takes half a second

    times = selectors.datetime("us", "UTC")
    return rows.with_columns(times.clip(FIRST_INSTANT, LAST_INSTANT))


def as_text(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The rows with their times as RFC 3339 text in UTC."""
    from polars import selectors  # noqa: PLC0415 - takes half a second

    return rows.with_columns(selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
