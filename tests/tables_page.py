"""docs/tables.md: what stands there twice is written by machine, so that it cannot drift.

A section is a heading `## schema.table`, prose, a line `| column |` where the table of columns goes, and queries. This
fills in the columns, as the YAML files describe them, and below each query what it gives on the sample:

    python tests/tables_page.py
"""

import csv
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import yaml  # type: ignore[import-untyped]
from product import Product, compile_project

from pipelines.load.loader import load
from pipelines.settings import PROJECT, SAMPLE, sample_as_of

PAGE = PROJECT / "docs" / "tables.md"
SOURCES = PROJECT / "models" / "staging" / "sources.yml"
PUBLIC = ("marts", "audit", "reference")

Columns = Mapping[str, str]
"""A table's columns and their descriptions, in order."""

_SECTION = re.compile(r"^## (\w+\.\w+)\n", re.MULTILINE)
_COLUMNS = re.compile(r"^\| column \|.*\n(?:\|.*\n)*", re.MULTILINE)
_EXAMPLE = re.compile(r"^```sql\n((?:(?!```).*\n)*)```\n(?:\n(?:\|.*\n)+|\n\*No rows\.\*\n)?", re.MULTILINE)


def public_tables(product: Product) -> dict[str, Columns]:
    """The tables that people read, as the YAML files describe them."""
    nodes = [*product.models.values(), *product.seeds]
    tables = {
        f"{node['schema']}.{node['name']}": _described(node["columns"].values())
        for node in nodes
        if node["schema"] in PUBLIC
    }
    for source in yaml.safe_load(SOURCES.read_text("utf-8"))["sources"]:
        for table in source["tables"]:
            tables[f"{source['schema']}.{table['name']}"] = _described(table["columns"])
    return tables


def sections(page: str) -> dict[str, str]:
    """The text under each heading that names a table."""
    _, *parts = _SECTION.split(page)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def fill_in(page: str, tables: Mapping[str, Columns], connection: duckdb.DuckDBPyConnection) -> str:
    """The page with all columns and all results as they are now."""
    start, *parts = _SECTION.split(page)
    filled = [start]
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        described = tables.get(name, {})
        columns = _table(["column", "what it says"], [(f"`{column}`", says) for column, says in described.items()])
        body = _COLUMNS.sub(lambda _, columns=columns: columns, text)
        body = _EXAMPLE.sub(lambda found: f"```sql\n{found[1]}```\n\n{_result(connection, found[1])}", body)
        filled.append(f"## {name}\n{body}")
    return "".join(filled)


@contextmanager
def sample_warehouse(product: Product) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory in which the sample is loaded and every model built."""
    with (SAMPLE / "studies.csv").open(encoding="utf-8", newline="") as lines:
        studies = [{name: value or None for name, value in row.items()} for row in csv.DictReader(lines)]
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("set timezone = 'UTC'")
        product.prepare(connection)
        load(connection, [SAMPLE])
        models = [model["name"] for model in product.models.values()]
        product.build(connection, *models, as_of=sample_as_of(), optional={"stg_studies": studies})
        yield connection
    finally:
        connection.close()


def _described(columns: Iterable[Mapping[str, str]]) -> Columns:
    return {column["name"]: " ".join(column["description"].split()) for column in columns}


def _result(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    rows = found.fetchall()
    return _table(names, [[_shown(value) for value in row] for row in rows]) if rows else "*No rows.*\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return str(value)


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder:
        product = compile_project(Path(folder))
        with sample_warehouse(product) as connection:
            page = fill_in(PAGE.read_text("utf-8"), public_tables(product), connection)
    PAGE.write_text(page, encoding="utf-8")
    missing = sorted(public_tables(product).keys() - sections(page).keys())
    sys.stdout.write(f"{PAGE}: {len(sections(page))} tables. Missing: {', '.join(missing) or 'none'}\n")


if __name__ == "__main__":
    main()
