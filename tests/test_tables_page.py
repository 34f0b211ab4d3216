"""The pages on tables against the tables: researchers read them instead of the SQL."""

import duckdb
import pytest
from product import Product
from tables_page import fill_in, pages, public_tables, sections

PAGES = pages()
SECTIONS = [section for text in PAGES.values() for section in sections(text)]
REMEDY = "Write the section by hand (see tests/tables_page.py), then run: python tests/tables_page.py"


def test_every_public_table_has_one_section_and_nothing_else_has(product: Product) -> None:
    """A table that is on no page is not found; one that is gone is looked for."""
    described = sorted(name for name, _ in SECTIONS)
    assert sorted(public_tables(product).keys() - set(described)) == [], REMEDY
    assert described == sorted(public_tables(product))


@pytest.mark.parametrize(("name", "text"), SECTIONS, ids=[name for name, _ in SECTIONS])
def test_every_section_says_what_one_row_is_and_shows_its_columns_and_an_answer(name: str, text: str) -> None:
    assert text.lstrip().startswith("One row per "), name
    assert text.count("| column | what it says |") == 1, REMEDY
    assert "```sql" in text, REMEDY


def test_columns_and_answers_are_what_the_tables_say(product: Product, sample: duckdb.DuckDBPyConnection) -> None:
    """An example that no longer runs, or whose answer changed, would teach something wrong."""
    now = fill_in(PAGES, public_tables(product), sample)
    for page, text in PAGES.items():
        assert text == now[page], (
            f"{page.name}: look whether the change is right, then run: python tests/tables_page.py"
        )
