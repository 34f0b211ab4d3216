"""Run all checks: contracts of columns, keys, rules in tests/dbt, and rejected lines."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, partial

import duckdb

from pipelines.check.contracts import (
    Catalogue,
    TableContract,
    actual_catalogue,
    expected_catalogue,
    read_contracts,
)
from pipelines.check.rejections import find_rejections
from pipelines.check.report import Finding, Report
from pipelines.check.rules import RuleFile, broken_rules, read_rules, repeated_keys
from pipelines.errors import StudyflowError
from pipelines.settings import PACKAGE

MODELS, RULES = PACKAGE / "models", PACKAGE / "tests" / "dbt"

TABLES = """
select
    case when table_schema = 'raw' then 'raw.' || table_name else table_name end as name,
    table_schema || '.' || table_name as full_name
from information_schema.tables
where
    table_catalog = current_database()
    and table_schema in ('raw', 'staging', 'intermediate', 'marts', 'audit', 'reference')
"""


@cache
def prepare() -> tuple[list[TableContract], list[RuleFile], Catalogue]:
    """The contracts, the rules and the catalogue that the contracts require; they do not depend on a warehouse.

    This also imports pandera. Call it while something else runs, so that the check can start at once.
    """
    from pipelines.check.rows import register  # noqa: PLC0415 - pandera takes a second to import

    register()
    contracts = read_contracts(MODELS)
    return contracts, read_rules(RULES), expected_catalogue(contracts)


def check(connection: duckdb.DuckDBPyConnection, as_of: datetime, *, strict: bool = False) -> Report:
    """Check all tables of a warehouse, which were built as of `as_of`.

    Tables are read in batches, so they need not fit into memory. Rejected lines are warnings; with `strict`, they fail
    the check.

    Raises:
        StudyflowError: a table has not been built.
    """
    from pipelines.check.rows import check_table  # noqa: PLC0415
    from pipelines.check.schemas import count_rules, schema_of  # noqa: PLC0415

    contracts, files, expected = prepare()
    tables = names_of_tables(connection)
    _require(tables, {contract.name for contract in contracts}.union(*(file.needs for file in files)))
    values = referenced_values(connection, contracts, tables)
    actual = actual_catalogue(connection)
    rules = 0
    rows: dict[str, int] = {}
    invalid: set[str] = set()
    failures: list[Finding] = []
    for contract in contracts:
        if contract.columns:
            table = tables[contract.name]
            schema = partial(schema_of, contract, table, values, as_of)
            unguaranteed = schema(is_guaranteed=True)
            has_constraints = actual[table] >= expected[contract.name]
            result = check_table(connection, schema, unguaranteed if has_constraints else None)
            rows[table] = result.rows
            failures += result.findings
            rules += count_rules(contract, unguaranteed)
            if not result.has_valid_schema:
                invalid.add(contract.name)
    for contract in contracts:
        if contract.name not in invalid:
            rules += len(contract.keys)
            for key in contract.keys:
                failures += repeated_keys(connection, tables[contract.name], key)
    for file in files:
        if invalid.isdisjoint(file.needs):
            rules += len(file.rules)
            failures += broken_rules(connection, file, tables, as_of)
    return Report(as_of, strict, rows, rules, failures, find_rejections(connection))


def _require(tables: dict[str, str], needed: Iterable[str]) -> None:
    missing = sorted(set(needed) - tables.keys())
    if missing:
        msg = f"these tables have not been built: {', '.join(missing)}. Build them first: studyflow build"
        raise StudyflowError(msg)


def names_of_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The tables of a warehouse as `schema.table`, by their names in dbt: `table`, or `raw.table` for raw tables."""
    return dict(connection.execute(TABLES).fetchall())


def referenced_values(
    connection: duckdb.DuckDBPyConnection, contracts: list[TableContract], tables: dict[str, str]
) -> dict[tuple[str, str], list[str | int]]:
    """The values of each column (by table and column) that a `relationships` test refers to."""
    references = {column.reference for contract in contracts for column in contract.columns if column.reference}
    _require(tables, {table for table, _ in references})
    found = {}
    for table, field in sorted(references):
        query = f"select distinct {field} from {tables[table]} where {field} is not null order by {field}"  # noqa: S608
        found[table, field] = [value for (value,) in connection.execute(query).fetchall()]
    return found
