"""Look up in DuckDB's catalogue which constraints a table has. These hold in all rows, so the rows need not be read."""

from collections import defaultdict
from collections.abc import Iterable

import duckdb

from pipelines.check.contracts import TableContract

PARTS = """
select
    schema_name || '.' || table_name as name,
    column_name || ' ' || data_type as part
from duckdb_columns()
where database_name = current_database() and not internal
union all
select
    schema_name || '.' || table_name as name,
    array_to_string(constraint_column_names, ', ') || ' ' || constraint_text as part
from duckdb_constraints()
where database_name = current_database()
"""
"""A row for each column with its type, and for each constraint, as DuckDB writes them."""

Catalogue = dict[str, frozenset[str]]
"""For each table, its columns with their types and its constraints."""


def expected_catalogue(contracts: Iterable[TableContract]) -> Catalogue:
    """The catalogue that the contracts require, by the tables' names in dbt."""
    with duckdb.connect(":memory:") as scratch:
        for contract in contracts:
            if contract.columns:
                definitions = ", ".join(column.definition for column in contract.columns)
                scratch.execute(f'create table "{contract.name}" ({definitions})')
        return {table.removeprefix("main."): parts for table, parts in actual_catalogue(scratch).items()}


def actual_catalogue(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """The catalogue of a warehouse, by the tables' names with their schema."""
    parts = defaultdict(set)
    for table, part in connection.execute(PARTS).fetchall():
        parts[table].add(part)
    return {table: frozenset(found) for table, found in parts.items()}
