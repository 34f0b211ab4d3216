"""Export the lists to work from: whom to pay, remind and nudge, and who may be invited."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.export.cells import header
from pipelines.export.mart import LINE, lines_of
from pipelines.export.options import ExportOptions
from pipelines.export.presentation import Relation, presented
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.tables import new_table
from pipelines.warehouse import has_table

LISTS = ("to_pay", "to_remind", "to_nudge", "may_be_invited")
"""The marts that are lists. Their files have the same names."""


@dataclass(frozen=True, slots=True)
class ExportedList:
    """A table that becomes a file of its own: its name, its rows, and their number."""

    name: str
    relation: Relation
    rows: int

    def write(self, connection: duckdb.DuckDBPyConnection, folder: Path, options: ExportOptions) -> None:
        """Write a file for each format."""
        head = header(connection, self.relation.columns, for_excel=options.excel)
        with ExitStack() as stack:
            reader = stack.enter_context(lines_of(connection, self.relation, options))
            schema = pa.schema([field for field in reader.schema if field.name != LINE])
            tables = [new_table(stack, folder / f"{self.name}.{ending}", head, schema) for ending in options.endings]
            for batch in reader:
                for table in tables:
                    table.write(batch)


def lists(connection: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms | None) -> list[ExportedList]:
    """The lists that the warehouse has."""
    return [
        ExportedList(name, presented(connection, name, pseudonyms), len(connection.table(f"marts.{name}")))
        for name in LISTS
        if has_table(connection, "marts", name)
    ]
