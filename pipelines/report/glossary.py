"""What each number of a report means, from where it is written down: the comments of the tables, which come from dbt."""

import re

import duckdb

from pipelines.report.document import Term
from pipelines.report.questions import Answer

_COLUMN = re.compile(r"(\w+)\.(\w+)\.(\w+)")
_NULL = re.compile(r"\b(N|n)ull\b")


class Glossary:
    """The terms that a report has used so far, in the order of first use."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        query = "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
        self._comments = {tuple(row[:3]): row[3] for row in connection.execute(query).fetchall()}
        self.terms: dict[str, Term] = {}

    def term(self, answer: Answer, column: str, label: str) -> Term | None:
        """What a column of an answer means; None where nothing is written of it."""
        meaning = answer.meanings.get(column)
        if meaning is None:
            return None
        source = meaning if (found := _COLUMN.fullmatch(meaning)) else ""
        if found:
            comment = (self._comments.get(found.groups()) or "").strip()
            # A report shows a dash where the table has null.
            meaning = _NULL.sub(lambda null: "A dash" if null[1] == "N" else "a dash", comment)
        anchor = "term-" + re.sub(r"\W+", "-", source or f"{answer.name}.{column}").lower()
        if not meaning:
            return None
        for term in self.terms.values():
            if (term.label, term.meaning) == (label, meaning) and not source:
                return term
        return self.terms.setdefault(anchor, Term(anchor, label, meaning.replace("`", ""), source))
