"""The meanings of the numbers in a report: comments of table columns (which come from dbt), or texts in query files."""

import re

import duckdb

from pipelines.report.document import Term
from pipelines.report.questions import Answer

_COLUMN = re.compile(r"(\w+)\.(\w+)\.(\w+)")
_NULL = re.compile(r"\b(N|n)ull\b")


class Glossary:
    """The terms that a report uses, in the order of first use."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        query = "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
        self._comments = {tuple(row[:3]): row[3] for row in connection.execute(query).fetchall()}
        self._terms: dict[str, Term] = {}

    def term(self, answer: Answer, column: str, label: str, table: str) -> Term | None:
        """The term for a column of an answer, shown in the table with this caption; None if it has no meaning to show."""
        meaning = answer.meanings.get(column)
        if meaning is None:
            return None
        source = meaning if (match := _COLUMN.fullmatch(meaning)) else ""
        if match:
            comment = (self._comments.get(match.groups()) or "").strip()
            # The report shows null as a dash.
            meaning = _NULL.sub(lambda null: "A dash" if null[1] == "N" else "a dash", comment)
        anchor = "term-" + re.sub(r"\W+", "-", source or f"{answer.name}.{column}").lower()
        if not meaning:
            return None
        for term in self._terms.values():
            if (term.label, term.meaning) == (label, meaning) and not source:
                return term
        return self._terms.setdefault(anchor, Term(anchor, label, meaning.replace("`", ""), source, table))

    def by_table(self) -> dict[str, list[Term]]:
        """The terms by the caption of the first table that uses them."""
        tables: dict[str, list[Term]] = {}
        for term in self._terms.values():
            tables.setdefault(term.table, []).append(term)
        return tables
