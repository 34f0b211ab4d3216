"""Read contracts of tables from the YAML of dbt models and sources: columns, allowed values and keys.

DuckDB's catalogue says which constraints a table has. These hold in all rows, so the rows need not be read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml  # type: ignore[import-untyped]

from pipelines.settings import PACKAGE
from pipelines.warehouse import macros_of
from pipelines.yaml_files import LOADER

CONSTRAINTS = PACKAGE / "macros" / "constraints.sql"
UNIT_TESTS = "\nunit_tests:"
"""The rest of a YAML file, from here on, does not describe tables."""
CATALOGUE = """
select name, list(part) as parts
from (
    select schema_name || '.' || table_name as name, column_name || ' ' || data_type as part
    from duckdb_columns()
    where database_name = current_database() and not internal
    union all
    select
        schema_name || '.' || table_name as name,
        array_to_string(constraint_column_names, ', ') || ' ' || constraint_text as part
    from duckdb_constraints()
    where database_name = current_database()
)
group by name
"""
"""A row for each table, with its columns, their types and its constraints, as DuckDB writes them."""

Catalogue = dict[str, frozenset[str]]
"""For each table, its columns with their types and its constraints."""


@dataclass(frozen=True, slots=True)
class ColumnContract:
    """A column: its type as in the YAML, whether it may be null, and whether it is a key by itself.

    `reference`: the table (by its name in dbt) and column that a `relationships` test refers to. `accepted_values`: from
    the test of this name. Both are None without such a test. `not_before`: the earliest allowed instant, if there is
    one. `may_be_after_as_of`: whether the as-of does not limit its times. `condition`: SQL that follows the column's
    name and must hold for every value; empty if there is none. `definition`: the column as in `create table`. Both come
    from macros/constraints.sql.
    """

    name: str
    data_type: str
    may_be_null: bool
    is_unique: bool
    reference: tuple[str, str] | None
    accepted_values: list[str] | None
    not_before: datetime | None
    may_be_after_as_of: bool
    condition: str
    definition: str


@dataclass(frozen=True, slots=True)
class TableContract:
    """A table by its name in dbt. `keys`: each is a tuple of columns; the first is the grain.

    `columns` is empty if the YAML has no constraints.
    """

    name: str
    columns: tuple[ColumnContract, ...]
    keys: tuple[tuple[str, ...], ...]


def read_contracts(models: Path) -> list[TableContract]:
    """The contracts of models that have a constraint on any column, and of sources that have keys."""
    contracts = []
    macros = macros_of(CONSTRAINTS)
    for file in sorted(models.rglob("*.yml")):
        text = file.read_text(encoding="utf-8").partition(UNIT_TESTS)[0]
        if "constraints:" in text or "sources:" in text:
            content = yaml.load(text, LOADER)  # noqa: S506 - LOADER is a safe loader
            found = [_contract(model, model["name"], macros) for model in content.get("models", ())]
            contracts += [contract for contract in found if contract.columns]
            for source in content.get("sources", ()):
                found = [_contract(table, f"{source['name']}.{table['name']}", macros) for table in source["tables"]]
                contracts += [contract for contract in found if contract.keys]
    return contracts


def _contract(table: dict[str, Any], name: str, macros: Callable[..., Any]) -> TableContract:
    columns = tuple(_column(column, macros) for column in table["columns"])
    together = _arguments(table, "unique_together")
    keys = [(column.name,) for column in columns if column.is_unique]
    has_contract = any("constraints" in column for column in table["columns"])
    return TableContract(
        name, columns if has_contract else (), (*([tuple(together["columns"])] if together else []), *keys)
    )


def _column(column: dict[str, Any], macros: Callable[..., Any]) -> ColumnContract:
    refers = _arguments(column, "relationships")
    accepts = _arguments(column, "accepted_values")
    meta = column.get("config", {}).get("meta", {})
    least = meta.get("at_least")
    return ColumnContract(
        name=column["name"],
        data_type=column["data_type"],
        may_be_null={"type": "not_null"} not in column.get("constraints", ()),
        is_unique="unique" in column.get("data_tests", ()),
        reference=(refers["to"].removeprefix("ref('").removesuffix("')"), refers["field"]) if refers else None,
        accepted_values=accepts["values"] if accepts else None,
        not_before=datetime.fromisoformat(least).replace(tzinfo=UTC) if isinstance(least, str) else None,
        may_be_after_as_of=bool(meta.get("after_as_of")),
        condition=macros("condition_on", column).strip(),
        definition=macros("column_with_constraints", {"constraints": (), **column}),
    )


def _arguments(described: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The arguments of a data test of a table or column; None without such a test."""
    for test in described.get("data_tests", ()):
        if isinstance(test, dict) and name in test:
            arguments: dict[str, Any] = test[name]["arguments"]
            return arguments
    return None


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
    return {table: frozenset(parts) for table, parts in connection.execute(CATALOGUE).fetchall()}
