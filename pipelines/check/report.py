"""The result of a check: findings, and how much was checked."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.check.remedies import WRONG_CLOCK
from pipelines.check.times import as_text

if TYPE_CHECKING:
    import polars as pl

SAMPLE_ROWS = 10


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
        "as_of": report.as_of.isoformat().replace("+00:00", "Z"),
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
