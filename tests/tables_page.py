"""docs/tables.md and its sister pages: what stands there twice is written by machine, so that it cannot drift.

A table's section is a heading `## schema.table`, prose that begins with "One row per", a line `| column |` where the
columns go, and queries, on any page of docs/. This fills in the columns, as the YAML files describe them, below each
query what it gives on the sample, and on docs/tables.md the list of all tables:

    python tests/tables_page.py
"""

import csv
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import yaml  # type: ignore[import-untyped]
from product import Product, compile_project, insert

from pipelines.load.loader import load
from pipelines.settings import PROJECT, SAMPLE, sample_as_of
from pipelines.warehouse import connect

DOCS = PROJECT / "docs"
SOURCES = PROJECT / "models" / "staging" / "sources.yml"
PUBLIC = ("marts", "audit", "reference", "raw")

Columns = Mapping[str, str]
"""A table's columns and their descriptions, in order."""

_SECTION = re.compile(r"^## (\w+\.\w+)\n", re.MULTILINE)
_LIST = re.compile(r"^\| table \|.*\n(?:\|.*\n)*", re.MULTILINE)
_COLUMNS = re.compile(r"^\| column \|.*\n(?:\|.*\n)*", re.MULTILINE)
_EXAMPLE = re.compile(r"^```sql\n((?:(?!```).*\n)*)```\n(?:\n(?:\|.*\n)+|\n\*No rows\.\*\n)?", re.MULTILINE)
_GRAIN = re.compile(r"\s*One row per (.+?)(?:\.(?=\s)|$)", re.DOTALL)


def public_tables(product: Product) -> dict[str, Columns]:
    """The tables that people read, as the YAML files describe them."""
    tables = {
        f"{node['schema']}.{node['name']}": _described(node["columns"].values())
        for node in [*product.models.values(), *product.seeds]
        if node["schema"] in PUBLIC
    }
    for source in yaml.safe_load(SOURCES.read_text("utf-8"))["sources"]:
        for table in source["tables"]:
            tables[f"{source['schema']}.{table['name']}"] = _described(table["columns"])
    return tables


def pages() -> dict[Path, str]:
    """The pages of docs/ that have a section on a table, tables.md first."""
    texts = {
        page: page.read_text("utf-8") for page in sorted(DOCS.glob("*.md"), key=lambda page: page.stem != "tables")
    }
    return {page: text for page, text in texts.items() if _SECTION.search(text)}


def sections(page: str) -> list[tuple[str, str]]:
    """The tables that a page has a heading for, each with the text under it."""
    _, *parts = _SECTION.split(page)
    return list(zip(parts[::2], parts[1::2], strict=True))


def fill_in(
    texts: Mapping[Path, str], tables: Mapping[str, Columns], connection: duckdb.DuckDBPyConnection
) -> dict[Path, str]:
    """The pages with all columns and all answers as they are now."""
    listed = _list_of_tables(texts)
    filled = {}
    for page, text in texts.items():
        parts = [_LIST.sub(lambda _: listed, _SECTION.split(text)[0])]
        for name, body in sections(text):
            columns = _table(
                ["column", "what it says"], [(f"`{column}`", says) for column, says in tables.get(name, {}).items()]
            )
            body = _COLUMNS.sub(lambda _, columns=columns: columns, body)  # type: ignore[misc]  # noqa: PLW2901
            body = _EXAMPLE.sub(lambda found: f"```sql\n{found[1]}```\n\n{_answer(connection, found[1])}", body)  # noqa: PLW2901
            parts.append(f"## {name}\n{body}")
        filled[page] = "".join(parts)
    return filled


def build_sample(product: Product, connection: duckdb.DuckDBPyConnection) -> None:
    """Load the sample, make every model of it, and describe the columns as dbt does."""
    with (SAMPLE / "studies.csv").open(encoding="utf-8", newline="") as lines:
        studies = [{name: value or None for name, value in row.items()} for row in csv.DictReader(lines)]
    product.prepare(connection)
    insert(connection, "raw.studies_file", studies)
    load(connection, [SAMPLE])
    product.build(connection, *product.names, as_of=sample_as_of())
    describe(product, connection)


def describe(product: Product, connection: duckdb.DuckDBPyConnection) -> None:
    """Put the descriptions of columns where dbt's persist_docs puts them."""
    for table, columns in public_tables(product).items():
        for column, text in columns.items():
            quoted = text.replace("'", "''")
            connection.execute(f"comment on column {table}.\"{column}\" is '{quoted}'")


def _described(columns: Iterable[Mapping[str, str]]) -> Columns:
    return {column["name"]: " ".join(column["description"].split()) for column in columns}


def _list_of_tables(texts: Mapping[Path, str]) -> str:
    rows = []
    for page, text in texts.items():
        for name, body in sections(text):
            grain = _GRAIN.match(body)
            target = f"{'' if page.stem == 'tables' else page.name}#{name.replace('.', '')}"
            rows.append((name, [f"[`{name}`]({target})", " ".join(grain[1].split()) if grain else ""]))
    rows.sort(key=lambda row: PUBLIC.index(row[0].split(".")[0]))
    return _table(["table", "one row per"], [cells for _, cells in rows])


def _answer(connection: duckdb.DuckDBPyConnection, query: str) -> str:
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
    """Write the pages anew."""
    with tempfile.TemporaryDirectory() as folder:
        product = compile_project(Path(folder))
        with connect(Path(folder) / "sample.duckdb") as connection:
            build_sample(product, connection)
            filled = fill_in(pages(), public_tables(product), connection)
    for page, text in filled.items():
        page.write_text(text, encoding="utf-8")
    missing = public_tables(product).keys() - {name for text in filled.values() for name, _ in sections(text)}
    sys.stdout.write(f"Written: {', '.join(page.name for page in filled)}. No section: {sorted(missing) or 'none'}\n")


if __name__ == "__main__":
    main()
