"""Every check, in one go."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, partial

import duckdb

from pipelines.check.contracts import TableContract, read_contracts
from pipelines.check.guarantees import Parts, parts_of_contracts, parts_of_tables
from pipelines.check.keys import repeated_keys
from pipelines.check.rejections import find_rejections
from pipelines.check.report import Finding, Report
from pipelines.check.rules import RuleFile, broken_rules, read_rules
from pipelines.errors import StudyflowError
from pipelines.settings import PACKAGE

BATCH_ROWS = 500_000
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
def prepare() -> tuple[list[TableContract], list[RuleFile], Parts]:
    """What a check needs and no warehouse says: contracts, rules, and what contracts put into the catalogue.

    Afterwards pandera is imported. Call this while something else runs, so that the check can start at once.
    """
    from pipelines.check.rows import register  # noqa: PLC0415 - pandera takes a second to import

    register()
    contracts = read_contracts(MODELS)
    return contracts, read_rules(RULES), parts_of_contracts(contracts)


def check(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, *, strict: bool = False, batch_rows: int = BATCH_ROWS
) -> Report:
    """Everything that is wrong with the tables of a warehouse, which were built as of `as_of`.

    Tables are read in batches of about `batch_rows` rows, so that any number of changes can be checked. Rejected lines
    are warnings, and fail the report when it is `strict`.

    Raises:
        StudyflowError: a table is not there yet.
    """
    from pipelines.check.rows import check_table  # noqa: PLC0415
    from pipelines.check.schemas import count_rules, schema_of  # noqa: PLC0415

    contracts, files, promised = prepare()
    tables = names_of_tables(connection)
    _require(tables, {contract.name for contract in contracts}.union(*(file.needs for file in files)))
    values = referenced_values(connection, contracts, tables)
    kept = parts_of_tables(connection)
    rules = 0
    rows: dict[str, int] = {}
    unsound: set[str] = set()
    failures: list[Finding] = []
    for contract in contracts:
        if contract.columns:
            table = tables[contract.name]
            schema = partial(schema_of, contract, table, values, as_of)
            left = schema(is_guaranteed=True)
            is_guaranteed = kept[table] >= promised[contract.name]
            checked = check_table(connection, schema, batch_rows, left if is_guaranteed else None)
            rows[table] = checked.rows
            failures += checked.findings
            rules += count_rules(contract, left)
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
        msg = f"these tables have not been built: {', '.join(missing)}. Build them first: studyflow build"
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
