"""Lists to work from, as files beside the tables of stages: whom to pay, remind and nudge, and who may be invited."""

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.export import cells
from pipelines.export.cells import Column
from pipelines.export.mart import LINE, ROWS_AT_ONCE
from pipelines.export.options import Format
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.shown import described, order_of, shown, with_study_names
from pipelines.export.tables import CsvTable, ParquetTable
from pipelines.warehouse import has_table, only_row

LISTS = ("to_pay", "to_remind", "to_nudge", "may_be_invited")
"""The marts that are lists, and the names of their files."""


@dataclass(frozen=True, slots=True)
class ExportedList:
    """A list as a file has it: the mart, its columns and rows."""

    name: str
    columns: list[Column]
    relation: str
    rows: int

    def query(self, *, with_values: bool, for_excel: bool, of: str | None = None) -> str:
        """SQL of whole lines of CSV and, `with_values`, of the columns, the most urgent first."""
        values = "".join(f", {column.identifier}" for column in self.columns) if with_values else ""
        line = cells.row(self.columns, for_excel=for_excel)
        return f"select {line} as {LINE}{values} from {of or self.relation} order by {order_of(self.columns)}"  # noqa: S608

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        formats: tuple[Format, ...],
        pseudonyms: Pseudonyms | None,
        *,
        for_excel: bool,
    ) -> None:
        """Write the list in these formats."""
        with ExitStack() as stack:
            rows = stack.enter_context(shown(connection, self.relation, self.columns, pseudonyms))
            query = self.query(with_values="parquet" in formats, for_excel=for_excel, of=rows)
            tables: list[CsvTable | ParquetTable] = []
            for ending in formats:
                file = stack.enter_context((folder / f"{self.name}.{ending}").open("xb"))
                if ending == "csv":
                    table: CsvTable | ParquetTable = CsvTable(
                        file, cells.header(connection, self.columns, for_excel=for_excel)
                    )
                else:
                    schema = connection.sql(f"select * exclude ({LINE}) from ({query}) limit 0").to_arrow_table().schema  # noqa: S608
                    table = ParquetTable(file, schema)
                tables.append(stack.enter_context(closing(table)))
            for batch in stack.enter_context(connection.sql(query).to_arrow_reader(ROWS_AT_ONCE)):
                for table in tables:
                    table.write(batch)


def lists(connection: duckdb.DuckDBPyConnection) -> list[ExportedList]:
    """The lists that the warehouse has."""
    return [
        ExportedList(
            name,
            described(connection, name),
            with_study_names(connection, name),
            only_row(connection, f"select count(*) from marts.{name}")[0],  # noqa: S608
        )
        for name in LISTS
        if has_table(connection, "marts", name)
    ]
