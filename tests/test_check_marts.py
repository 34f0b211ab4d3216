"""Every table with a contract is checked, and each row of it is there once. test_check_rows.py has the rest."""

import pytest
from check_warehouse import TABLES, broken_sample, full_name, report_of_broken
from product import Product, rows

from pipelines.check import Finding


def test_every_table_with_a_contract_is_checked_by_all_its_columns(product: Product) -> None:
    """As dbt has it: what may be null is what the contract lets be null."""
    contracts = {
        model["name"]: {
            name: not any(constraint["type"] == "not_null" for constraint in column["constraints"])
            for name, column in model["columns"].items()
        }
        for model in product.models.values()
        if model["config"]["contract"]["enforced"]
    }
    assert contracts.keys() <= TABLES.keys()
    for name, columns in contracts.items():
        assert {column.name: column.may_be_null for column in TABLES[name].columns} == columns
    assert {"stg_statuses", "stg_changes", "load_files"} <= TABLES.keys()


def test_every_checked_table_has_a_key() -> None:
    """A row is shown by it, and must be there once."""
    for contract in TABLES.values():
        assert contract.keys, contract.name


@pytest.fixture(scope="module")
def row_of(product: Product) -> dict[str, dict[str, object]]:
    """The first row of every table of the sample, column by column."""
    with broken_sample(product) as connection:
        return {name: rows(connection, f"{full_name(connection, name)} where rowid = 0")[0] for name in TABLES}


@pytest.fixture(scope="module")
def found(product: Product) -> list[Finding]:
    """What a check finds when every table has its first row twice: a key is about its own table alone."""
    with broken_sample(product) as connection:
        tables = [full_name(connection, name) for name in TABLES]
    return report_of_broken(
        product, *(f"insert into {table} from {table} where rowid = 0" for table in tables)
    ).failures


@pytest.mark.parametrize("name", TABLES)
def test_a_row_twice_is_found(row_of: dict[str, dict[str, object]], found: list[Finding], name: str) -> None:
    """What is counted from the table would be too high."""
    for key in TABLES[name].keys:
        rule = f"{' + '.join(key)} is unique"
        [finding] = [finding for finding in found if (finding.table.partition(".")[2], finding.rule) == (name, rule)]
        assert finding.count == 1
        assert finding.sample_rows.to_dicts() == [{column: row_of[name][column] for column in key} | {"rows": 2}]
