"""The result of a check: findings, and how much was checked. Impossible times, which it is there to find, are clipped."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.check.remedies import WRONG_CLOCK
from pipelines.plain import instant

if TYPE_CHECKING:
    import polars as pl

SAMPLE_ROWS = 10
FIRST_INSTANT = datetime.fromisoformat("0001-01-01T00:00:00Z")
LAST_INSTANT = datetime.fromisoformat("9999-12-31T23:59:59.999999Z")


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule of a table: how many rows break it, the first ten of them, and what to do (`meaning`)."""

    table: str
    rule: str
    count: int
    sample_rows: "pl.DataFrame"
    meaning: str


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of a check, the as-of of the tables, and how much was checked: rows by table, number of rules."""

    as_of: datetime
    strict: bool
    rows: dict[str, int]
    rules: int
    failures: list[Finding]
    warnings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether the check passed. A strict check also fails on warnings."""
        return not self.failures and not (self.strict and self.warnings)

    @property
    def may_build_on(self) -> bool:
        """Whether a build may update these tables. A wrong clock is a webhook's fault, so a full build would not help."""
        return all(finding.meaning == WRONG_CLOCK for finding in self.failures)


def as_dict(report: Report) -> dict[str, Any]:
    """The report for the JSON output; times are RFC 3339 in UTC."""
    return {
        "ok": report.ok,
        "strict": report.strict,
        "as_of": instant(report.as_of),
        "rows": report.rows,
        "rules": report.rules,
        "failures": [_finding_as_dict(finding) for finding in report.failures],
        "warnings": [_finding_as_dict(finding) for finding in report.warnings],
    }


def _finding_as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "table": finding.table,
        "rule": finding.rule,
        "count": finding.count,
        "meaning": finding.meaning,
        "sample_rows": as_text(finding.sample_rows).to_dicts(),
    }


def as_text(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The rows with their times as RFC 3339 text in UTC."""
    from polars import selectors  # noqa: PLC0415 - takes half a second

    return clip_times(rows).with_columns(selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))


def clip_times(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The rows, with times before the year 1 or after 9999 (including infinity) replaced by the first or last instant.

    polars can hold such times, but neither polars nor Python can format them.
    """
    from polars import selectors  # noqa: PLC0415 - takes half a second

    times = selectors.datetime("us", "UTC")
    return rows.with_columns(times.clip(FIRST_INSTANT, LAST_INSTANT))
