"""Every check, in one go."""

from collections.abc import Iterable
from datetime import datetime

import duckdb

from pipelines.check.contracts import TableContract, read_contracts
from pipelines.check.keys import repeated_keys
from pipelines.check.rejections import find_rejections
from pipelines.check.report import Finding, Report
from pipelines.check.rules import broken_rules, read_rules
from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT

BATCH_ROWS = 500_000
MODELS, RULES = PROJECT / "models", PROJECT / "tests" / "dbt"

TABLES = """
select
    case when table_schema = 'raw' then 'raw.' || table_name else table_name end as name,
    table_schema || '.' || table_name as full_name
from information_schema.tables
where table_catalog = current_database() and table_schema not in ('state', 'delta')
"""


def check(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, *, strict: bool = False, batch_rows: int = BATCH_ROWS
) -> Report:
    """Everything that is wrong with the tables of a warehouse, which were built as of `as_of`.

    Tables are read in batches of about `batch_rows` rows, so that any number of changes can be checked. Rejected lines
    are warnings, and fail the report when it is `strict`.

    Raises:
        StudyflowError: a table is not there yet.
    """
    from pipelines.check.rows import check_rows, count_rules  # noqa: PLC0415 - pandera takes a second to import
    from pipelines.check.schemas import schema_of  # noqa: PLC0415

    contracts, files = read_contracts(MODELS), read_rules(RULES)
    tables = names_of_tables(connection)
    _require(tables, {contract.name for contract in contracts}.union(*(file.needs for file in files)))
    values = referenced_values(connection, contracts, tables)
    rules = 0
    rows: dict[str, int] = {}
    unsound: set[str] = set()
    failures: list[Finding] = []
    for contract in contracts:
        if contract.columns:
            table = tables[contract.name]
            schema = schema_of(contract, table, values, as_of)
            checked = check_rows(connection, schema, batch_rows)
            rows[table] = checked.rows
            failures += checked.findings
            rules += count_rules(schema)
            if not checked.is_sound:
                unsound.add(contract.name)
    for contract in contracts:
        if contract.name not in unsound:
            rules += len(contract.keys)
            for key in contract.keys:
                failures += repeated_keys(connection, tables[contract.name], key)
    for file in files:
        if unsound.isdisjoint(file.needs):
            rules += len(file.rules)
            failures += broken_rules(connection, file, tables, as_of)
    return Report(as_of, strict, rows, rules, failures, find_rejections(connection))


def _require(tables: dict[str, str], needed: Iterable[str]) -> None:
    missing = sorted(set(needed) - tables.keys())
    if missing:
        msg = f"There is no {', '.join(missing)} to check. Build the tables first: studyflow build"
        raise StudyflowError(msg)


def names_of_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The tables of a warehouse with their schema, by the names that dbt knows them by: raw ones have theirs there, too."""
    return dict(connection.execute(TABLES).fetchall())


def referenced_values(
    connection: duckdb.DuckDBPyConnection, contracts: list[TableContract], tables: dict[str, str]
) -> dict[tuple[str, str], list[str | int]]:
    """The values of each column that another refers to, as the warehouse has them."""
    wanted = {column.reference for contract in contracts for column in contract.columns if column.reference}
    _require(tables, {table for table, _ in wanted})
    found = {}
    for table, field in sorted(wanted):
        query = f"select distinct {field} from {tables[table]} where {field} is not null order by {field}"  # noqa: S608
        found[table, field] = [value for (value,) in connection.execute(query).fetchall()]
    return found
