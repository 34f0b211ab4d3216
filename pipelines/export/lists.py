"""Lists to work from, as files beside the tables of stages: whom to pay, remind and nudge, and who may be invited."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

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

    def query(self, *, for_excel: bool, of: str | None = None) -> str:
        """SQL of whole lines of CSV and of the columns, the most urgent first."""
        values = ", ".join(column.identifier for column in self.columns)
        line = cells.row(self.columns, for_excel=for_excel)
        return f"select {line} as {LINE}, {values} from {of or self.relation} order by {order_of(self.columns)}"  # noqa: S608

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
        with shown(connection, self.relation, self.columns, pseudonyms) as rows:
            query = self.query(for_excel=for_excel, of=rows)
            schema = connection.sql(f"select * from ({query}) limit 0").to_arrow_table().schema  # noqa: S608
            schema = pa.schema([schema.field(column.name) for column in self.columns])
            with connection.sql(query).to_arrow_reader(ROWS_AT_ONCE) as reader:
                batches = list(reader)
        for ending in formats:
            with (folder / f"{self.name}.{ending}").open("xb") as file:
                table = (
                    CsvTable(file, cells.header(connection, self.columns, for_excel=for_excel))
                    if ending == "csv"
                    else ParquetTable(file, schema)
                )
                for batch in batches:
                    table.write(batch)
                table.close()


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
