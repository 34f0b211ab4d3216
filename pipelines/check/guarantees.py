"""What the warehouse guarantees: a constraint of a table holds in each of its rows, so that nobody has to read them."""

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
"""The columns with their types, and the constraints, as DuckDB writes them."""

Parts = dict[str, frozenset[str]]


def parts_of_contracts(contracts: Iterable[TableContract]) -> Parts:
    """What each table has in the catalogue if it is made as its contract says, by its name in dbt."""
    with duckdb.connect(":memory:") as scratch:
        for contract in contracts:
            if contract.columns:
                definitions = ", ".join(column.definition for column in contract.columns)
                scratch.execute(f'create table "{contract.name}" ({definitions})')
        return {table.removeprefix("main."): parts for table, parts in parts_of_tables(scratch).items()}


def parts_of_tables(connection: duckdb.DuckDBPyConnection) -> Parts:
    """What each table of a warehouse has in the catalogue, by its name with its schema."""
    parts = defaultdict(set)
    for table, part in connection.execute(PARTS).fetchall():
        parts[table].add(part)
    return {table: frozenset(found) for table, found in parts.items()}
