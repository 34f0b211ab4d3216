"""Export the lists to work from: whom to pay, remind and nudge, and who may be invited."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.export.cells import Column, header
from pipelines.export.mart import LINE, lines_of
from pipelines.export.options import Format
from pipelines.export.presentation import mart_columns, order_by, with_study_names
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.tables import new_table
from pipelines.warehouse import has_table, only_row

LISTS = ("to_pay", "to_remind", "to_nudge", "may_be_invited")
"""The marts that are lists. Their files have the same names."""


@dataclass(frozen=True, slots=True)
class ExportedList:
    """A table that becomes a file of its own: its name, its columns, SQL of its rows, and their number."""

    name: str
    columns: list[Column]
    relation: str
    rows: int

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        formats: tuple[Format, ...],
        pseudonyms: Pseudonyms | None,
        *,
        for_excel: bool,
    ) -> None:
        """Write a file for each format, with rows in the order of `order_by`."""
        head = header(connection, self.columns, for_excel=for_excel)
        lines = lines_of(
            connection,
            self.relation,
            self.columns,
            order_by(self.columns),
            pseudonyms,
            with_values="parquet" in formats,
            for_excel=for_excel,
        )
        with ExitStack() as stack:
            reader = stack.enter_context(lines)
            schema = pa.schema([field for field in reader.schema if field.name != LINE])
            tables = [new_table(stack, folder / f"{self.name}.{ending}", head, schema) for ending in formats]
            for batch in reader:
                for table in tables:
                    table.write(batch)


def lists(connection: duckdb.DuckDBPyConnection) -> list[ExportedList]:
    """The lists that the warehouse has."""
    return [
        ExportedList(
            name,
            mart_columns(connection, name),
            with_study_names(connection, name),
            only_row(connection, f"select count(*) from marts.{name}")[0],  # noqa: S608
        )
        for name in LISTS
        if has_table(connection, "marts", name)
    ]
