"""Rules that take more than one row to see. They run in DuckDB, which need not hold a table in memory."""

import re
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.check.report import SAMPLE_ROWS, Finding
from pipelines.check.times import clipped


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold in a table. `broken` is true of a row of the scan that breaks it, `shown` are its columns to show."""

    table: str
    rule: str
    broken: str
    shown: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Scan:
    """A query, in which `$as_of` stands for the as-of, and the rules that its rows are held against in one pass."""

    query: str
    rules: tuple[Rule, ...]

    def reads(self, tables: set[str]) -> bool:
        """Whether the query needs one of the tables."""
        return any(re.search(rf"\b{re.escape(table)}\b", self.query) for table in tables)


def run(connection: duckdb.DuckDBPyConnection, scan: Scan, as_of: datetime) -> list[Finding]:
    """The rules that are broken, with exact counts and the first rows in the order of the columns shown."""
    values = {"as_of": as_of} if "$as_of" in scan.query else {}
    counts = ", ".join(f"count(*) filter (where {rule.broken})" for rule in scan.rules)
    [broken] = connection.execute(f"select {counts} from ({scan.query})", values).fetchall()  # noqa: S608
    findings = []
    for rule, count in zip(scan.rules, broken, strict=True):
        if not count:
            continue
        sample = connection.sql(
            f"select {rule.shown} from ({scan.query}) where {rule.broken} order by all limit {SAMPLE_ROWS}",  # noqa: S608
            params=values,
        ).pl()
        findings.append(Finding(rule.table, rule.rule, count, clipped(sample), rule.meaning))
    return findings
