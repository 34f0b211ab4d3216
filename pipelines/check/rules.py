"""Rules that take more than one row or column to see: the SQL files of tests/dbt, which dbt runs, too.

The head of a file says what must hold, why, what to do where it does not, and which rules it has. Each rule is a column
of the query that is true of a row that breaks it. Queries run in DuckDB, which need not hold a table in memory.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb
import jinja2

from pipelines.check.report import SAMPLE_ROWS, Finding
from pipelines.check.times import clipped
from pipelines.errors import StudyflowError
from pipelines.settings import PACKAGE
from pipelines.warehouse import macros_of

KEYS = PACKAGE / "macros" / "cross_db" / "keys.sql"
FIELD = re.compile(r" (Why|Remedy|Key|Rules of [\w.]+): ?(.*)")
RULE = re.compile(r"   (\w+): (.*)")
SHOWN = re.compile(r"(?P<rule>.+?)(?: \((?P<columns>\w+(?:, \w+)*)\))?")


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold in a table. `column` of the query is true of a row that breaks it; `shown` is shown of that row."""

    table: str
    rule: str
    column: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of tests/dbt: what its head says, its query as a template, and the tables that it reads, as dbt names them."""

    name: str
    title: str
    why: str
    remedy: str
    rules: tuple[Rule, ...]
    template: jinja2.Template
    needs: frozenset[str]


def read_rules(folder: Path) -> list[RuleFile]:
    """Every rule file in a folder.

    Raises:
        StudyflowError: the head of a file lacks something.
    """
    return [_read(file) for file in sorted(folder.glob("*.sql"))]


def _read(file: Path) -> RuleFile:
    text = file.read_text(encoding="utf-8")
    fields: dict[str, list[str]] = {"": []}
    field = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        said = line.removeprefix("--")
        if found := FIELD.fullmatch(said):
            field = found[1]
            fields[field] = [found[2]]
        elif found := RULE.fullmatch(said):
            fields[field].append(f"{found[1]}: {found[2]}")
        else:
            fields[field].append(f"{fields[field].pop()} {said.strip()}" if fields[field] else said.strip())
    template = jinja2.Template(text)
    needs: list[str] = []
    _rendered(template, needs.append, as_of="")
    try:
        [title], [why], [remedy], [key] = fields[""], fields["Why"], fields["Remedy"], fields["Key"]
        rules = [
            _rule(table.removeprefix("Rules of "), line, key)
            for table, lines in fields.items()
            if table.startswith("Rules of ")
            for line in lines
            if line
        ]
    except (KeyError, ValueError) as error:
        msg = f"{file}: the head needs a title, Why, Remedy, Key and Rules of a table, like the other files in this folder."
        raise StudyflowError(msg) from error
    return RuleFile(file.stem, title, why, remedy, tuple(rules), template, frozenset(needs))


def _rule(table: str, line: str, key: str) -> Rule:
    column, _, text = line.partition(": ")
    found = SHOWN.fullmatch(text)
    shown = f"{key}, {found['columns']}" if found and found["columns"] else key
    return Rule(table, found["rule"] if found else text, column, tuple(dict.fromkeys(shown.split(", "))))


def _rendered(template: jinja2.Template, named: Callable[[str], object], as_of: str) -> str:
    """The SQL of a rule file, without dbt."""
    return template.render(
        ref=named,
        source=lambda schema, table: named(f"{schema}.{table}"),
        as_of=lambda: as_of,
        id_key=partial(macros_of(KEYS), "duckdb__id_key"),
    )


def broken_rules(
    connection: duckdb.DuckDBPyConnection, file: RuleFile, tables: Mapping[str, str], as_of: datetime
) -> list[Finding]:
    """The rules that are broken, with exact counts and the first rows in the order of the columns shown.

    `tables` has the names that dbt knows tables by, with their names in the warehouse.
    """
    query = _rendered(file.template, tables.__getitem__, f"cast('{as_of.isoformat()}' as timestamptz)")
    counts = ", ".join(f"count(*) filter (where {rule.column})" for rule in file.rules)
    [broken] = connection.execute(f"select {counts} from ({query})").fetchall()  # noqa: S608
    findings = []
    for rule, count in zip(file.rules, broken, strict=True):
        if count:
            shown = ", ".join(rule.shown)
            rows = connection.sql(
                f"select {shown} from ({query}) where {rule.column} order by all limit {SAMPLE_ROWS}"  # noqa: S608
            ).pl()
            findings.append(Finding(rule.table, rule.rule, count, clipped(rows), file.remedy))
    return findings
