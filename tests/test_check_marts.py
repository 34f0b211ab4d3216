"""The tables of marts.py are those of the models, and each row of them is there once. test_check_rows.py has the rest."""

import pytest
from check_warehouse import broken_sample, counts, report_of_broken
from product import Product

from pipelines.check.keys import MART_KEYS
from pipelines.check.marts import MARTS
from pipelines.check.schemas import TABLES


def test_every_mart_is_checked_by_all_its_columns(product: Product) -> None:
    """A table with a contract, or a column, that is added has to be said here, too; what may be null is what that lets be null."""
    contracts = {
        f"{model['schema']}.{model['name']}": {
            name: not any(constraint["type"] == "not_null" for constraint in column["constraints"])
            for name, column in model["columns"].items()
        }
        for model in product.models.values()
        if model["config"]["contract"]["enforced"]
    }
    assert set(contracts) <= set(TABLES)
    for table, mart in MARTS.items():
        assert {name: name in mart.nullable for name in mart.columns} == contracts[table]
        assert set(mart.key) <= set(mart.columns)


@pytest.mark.parametrize("table", MARTS)
def test_a_row_twice_is_found(product: Product, table: str) -> None:
    """What is counted from the table would be too high."""
    [key] = [scan for scan in MART_KEYS if scan.rules[0].table == table]
    twice = f"insert into {table} from {table} where rowid = 0"
    [finding] = report_of_broken(product, twice).failures
    with broken_sample(product) as connection:
        first = connection.execute(f"select {', '.join(MARTS[table].key)} from {table} where rowid = 0").fetchall()
    assert counts([finding]) == {(table, key.rules[0].rule): 1}
    assert finding.sample_rows.drop("rows").rows() == first
    assert finding.sample_rows["rows"].to_list() == [2]
