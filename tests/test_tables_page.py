"""docs/tables.md against the tables: researchers read it instead of the SQL."""

from collections.abc import Iterator

import duckdb
import pytest
from product import Product
from tables_page import PAGE, fill_in, public_tables, sample_warehouse, sections

TEXT = PAGE.read_text(encoding="utf-8")
REMEDY = "Write the section by hand (see tests/tables_page.py), then run: python tests/tables_page.py"


@pytest.fixture(scope="module")
def warehouse(product: Product) -> Iterator[duckdb.DuckDBPyConnection]:
    with sample_warehouse(product) as connection:
        yield connection


def test_every_public_table_has_a_section_and_no_other(product: Product) -> None:
    """A table that is not on the page is not found; one that is gone is looked for."""
    tables = public_tables(product).keys()
    assert sorted(tables - sections(TEXT).keys()) == [], REMEDY
    assert sorted(sections(TEXT).keys() - tables) == []


def test_every_section_says_what_one_row_is_and_shows_its_columns_and_an_answer() -> None:
    for name, section in sections(TEXT).items():
        assert section.lstrip().startswith("One row per "), name
        assert section.count("| column | what it says |") == 1, f"{name}. {REMEDY}"
        assert "```sql" in section, f"{name}. {REMEDY}"


def test_columns_and_answers_are_what_the_tables_say(product: Product, warehouse: duckdb.DuckDBPyConnection) -> None:
    """An example that no longer runs, or whose answer changed, would teach something wrong."""
    now = fill_in(TEXT, public_tables(product), warehouse)
    assert sections(TEXT) == sections(now), "Look whether the change is right, then run: python tests/tables_page.py"
