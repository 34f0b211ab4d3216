"""Rules about several rows, columns or tables: keys, and the SQL files of tests/dbt, which dbt runs as well.

The comment at the head of a file says what must hold, why, what to do otherwise, and which rules it has. Each rule is a
boolean column of the query, true for rows that break it. DuckDB runs the queries, so tables need not fit into memory.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import takewhile
from pathlib import Path

import duckdb
import jinja2

from pipelines.check.remedies import REPEATED, TAMPERED
from pipelines.check.report import SAMPLE_ROWS, Finding
from pipelines.settings import PACKAGE
from pipelines.warehouse import macros_of

KEYS = PACKAGE / "macros" / "cross_db" / "keys.sql"
FIELD = re.compile(r"^-- (Remedy|Key|Rules of [\w.]+): ?", re.MULTILINE)
RULE = re.compile(r"^--   (\w+): ", re.MULTILINE)
SHOWN = re.compile(r"^(.+?)(?: \((\w+(?:, \w+)*)\))?$")
LOADED = ("raw.files", "raw.deliveries", "raw.loads")
"""Tables that a build does not make, so that a build cannot repair them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a table. `column` of the query is true for rows that break it. `shown`: the columns to show of them."""

    table: str
    rule: str
    column: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of tests/dbt: fields of its head, its query as a template, and dbt's names of the tables it reads."""

    name: str
    remedy: str
    rules: tuple[Rule, ...]
    template: jinja2.Template
    needs: frozenset[str]


def read_rules(folder: Path) -> list[RuleFile]:
    """Every rule file in a folder."""
    rules = []
    for file in sorted(folder.glob("*.sql")):
        try:
            rules.append(_read(file))
        except (KeyError, ValueError) as error:
            msg = f"{file}: the comment at its head is incomplete ({error})."
            raise ValueError(msg) from error
    return rules


def _read(file: Path) -> RuleFile:
    text = file.read_text(encoding="utf-8")
    head = "".join(takewhile(lambda line: line.startswith("--"), text.splitlines(keepends=True)))
    _, *parts = FIELD.split(head)
    fields = dict(zip(parts[::2], parts[1::2], strict=True))
    rules: list[Rule] = []
    for name, content in fields.items():
        if name.startswith("Rules of "):
            _, *columns = RULE.split(content)
            rules += [
                _rule(name.removeprefix("Rules of "), column, _joined(said), _joined(fields["Key"]))
                for column, said in zip(columns[::2], columns[1::2], strict=True)
            ]
    template = jinja2.Template(text)
    needs: list[str] = []
    _render(template, needs.append, as_of="")
    return RuleFile(file.stem, _joined(fields["Remedy"]), tuple(rules), template, frozenset(needs))


def _joined(comment: str) -> str:
    """The text of a comment as one line."""
    return " ".join(line.removeprefix("--").strip() for line in comment.splitlines())


def _rule(table: str, column: str, text: str, key: str) -> Rule:
    [(rule, columns)] = SHOWN.findall(text)
    shown = [*key.split(", "), *filter(None, columns.split(", "))]
    return Rule(table, rule, column, tuple(dict.fromkeys(shown)))


def _render(template: jinja2.Template, name_of: Callable[[str], object], as_of: str) -> str:
    """The SQL of a rule file, rendered without dbt. `name_of` maps dbt's name of a table to that in the warehouse."""
    return template.render(
        ref=name_of,
        source=lambda schema, table: name_of(f"{schema}.{table}"),
        as_of=lambda: as_of,
        id_key=partial(macros_of(KEYS), "duckdb__id_key"),
    )


def broken_rules(
    connection: duckdb.DuckDBPyConnection, file: RuleFile, tables: Mapping[str, str], as_of: datetime
) -> list[Finding]:
    """A finding for each broken rule, with the exact count and the first rows, sorted by the columns shown.

    `tables`: names in the warehouse by dbt's names of tables.
    """
    query = _render(file.template, tables.__getitem__, f"cast('{as_of.isoformat()}' as timestamptz)")
    counts = ", ".join(f"count(*) filter (where {rule.column})" for rule in file.rules)
    [broken] = connection.execute(f"select {counts} from ({query})").fetchall()  # noqa: S608
    findings = []
    for rule, count in zip(file.rules, broken, strict=True):
        if count:
            shown = ", ".join(rule.shown)
            rows = connection.sql(
                f"select {shown} from ({query}) where {rule.column} order by all limit {SAMPLE_ROWS}"  # noqa: S608
            ).pl()
            findings.append(Finding(rule.table, rule.rule, count, rows, file.remedy))
    return findings


def repeated_keys(connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...]) -> list[Finding]:
    """A finding if several rows share a key. Hashes of keys are compared first, because keys are long and few repeat."""
    key = ", ".join(columns)
    distinct = connection.execute(f"select 1 from {table} having count(*) <> count(distinct hash({key}))")  # noqa: S608
    if not distinct.fetchall():
        return []
    query = f"""
select {key}, count(*) as rows
from {table}
where hash({key}) in (select hash({key}) from {table} group by hash({key}) having count(*) > 1)
group by {key}
having count(*) > 1
"""  # noqa: S608
    [(count,)] = connection.execute(f"select count(*) from ({query})").fetchall()  # noqa: S608
    if not count:
        return []
    rows = connection.sql(f"select * from ({query}) order by all limit {SAMPLE_ROWS}").pl()  # noqa: S608
    remedy = TAMPERED if table in LOADED else REPEATED
    return [Finding(table, f"{' + '.join(columns)} is unique", count, rows, remedy)]
