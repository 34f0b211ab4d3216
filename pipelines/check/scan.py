"""Rules that take more than one row to see. They run in DuckDB, which need not hold a table in memory."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.check.report import SAMPLE_ROWS, Finding
from pipelines.check.scope import EVERYTHING, Scope
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
    """A query, and the rules that its rows are held against in one pass.

    `$as_of` stands for the moment, `$since_load` for the load before the new ones.

    `proof` is a cheaper way to find that no row breaks a rule: a query for one truth value, or a function of the
    connection and the scope. Where it says no, the query is run. If it `presumes` that all is right, it is only asked
    while each row and each scan before was.
    """

    query: str
    rules: tuple[Rule, ...]
    proof: str | Callable[[duckdb.DuckDBPyConnection, Scope], bool] | None = None
    presumes: bool = False

    def reads(self, tables: set[str]) -> bool:
        """Whether the query needs one of the tables."""
        return any(re.search(rf"\b{re.escape(table)}\b", self.query) for table in tables)


def is_proved(connection: duckdb.DuckDBPyConnection, scan: Scan, as_of: datetime, scope: Scope) -> bool:
    """Whether the scan has a cheaper proof, which says that no rule is broken."""
    if scan.proof is None:
        return False
    if callable(scan.proof):
        return scan.proof(connection, scope)
    query = scope.of(scan.proof)
    [(proved,)] = connection.execute(query, _values(query, as_of, scope)).fetchall()
    return bool(proved)


def run(connection: duckdb.DuckDBPyConnection, scan: Scan, as_of: datetime, scope: Scope = EVERYTHING) -> list[Finding]:
    """The rules that are broken, with exact counts and the first rows in the order of the columns shown."""
    query = scope.of(scan.query)
    values = _values(query, as_of, scope)
    counts = ", ".join(f"count(*) filter (where {rule.broken})" for rule in scan.rules)
    [broken] = connection.execute(f"select {counts} from ({query})", values).fetchall()  # noqa: S608
    findings = []
    for rule, count in zip(scan.rules, broken, strict=True):
        if not count:
            continue
        sample = connection.sql(
            f"select {rule.shown} from ({query}) where {rule.broken} order by all limit {SAMPLE_ROWS}",  # noqa: S608
            params=values,
        ).pl()
        findings.append(Finding(rule.table, rule.rule, count, clipped(sample), rule.meaning))
    return findings


def _values(query: str, as_of: datetime, scope: Scope) -> dict[str, object]:
    return scope.values(query) | ({"as_of": as_of} if "$as_of" in query else {})
