"""Write the workbook: an overview, a sheet for each stage as in Rally, for all participants and for each other mart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import xlsxwriter

from pipelines.export.cells import Column
from pipelines.export.lists import LISTS, ExportedList
from pipelines.export.mart import ROWS_AT_ONCE
from pipelines.export.options import ExportOptions
from pipelines.export.presentation import Relation, presented
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.sheet import HIGHEST_SHEET, Formats, write_sheet
from pipelines.export.tables import ALL_PARTICIPANTS
from pipelines.state import built_as_of
from pipelines.warehouse import literal

WORKBOOK = "studyflow.xlsx"
ABOUT, COLUMNS = "About", "Columns"
_LONGEST_NAME = 31


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """A sheet: its rows, their number, and their description on the first sheet (`says`).

    `csv`: the name of the CSV file that has the rows if they are too many for a sheet.
    """

    name: str
    relation: Relation
    rows: int
    says: str
    csv: str

    @property
    def is_too_long(self) -> bool:
        """Whether there are more rows than a sheet can hold."""
        return self.rows > HIGHEST_SHEET

    @property
    def where(self) -> str:
        """A sentence that says where the rows are, if they are not on the sheet."""
        if not self.is_too_long:
            return ""
        return f"These {self.rows:,} rows are more than a sheet can hold. They are in {self.csv}, in the same folder."


@dataclass(frozen=True, slots=True)
class Book:
    """The plan of a workbook: its sheets, and the as-of of the data."""

    connection: duckdb.DuckDBPyConnection
    sheets: list[WorkbookSheet]
    as_of: datetime | None
    pseudonyms: Pseudonyms | None

    @property
    def files(self) -> dict[str, int]:
        """The number of rows of each file: the workbook, and CSV files for rows that do not fit."""
        held = sum(sheet.rows for sheet in self.sheets if not sheet.is_too_long)
        return {WORKBOOK: held, **{sheet.csv: sheet.rows for sheet in self._beside()}}

    def write(self, folder: Path) -> None:
        """Write the workbook, and CSV files for rows that do not fit. The same marts give the same bytes.

        Raises:
            OSError: a file cannot be written.
        """
        # Drafts are written to the workspace, which the next export clears if this one is killed.
        with TemporaryDirectory(dir=folder.parent) as drafts, (folder / WORKBOOK).open("xb") as file:
            book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": drafts})
            # As-of instead of the time of writing, so that the same marts give the same file.
            created = (self.as_of or datetime(1980, 1, 1, tzinfo=UTC)).replace(tzinfo=None)
            book.set_properties({"title": "studyflow", "created": created})
            formats = Formats(book)
            self._write_about(book, formats)
            for sheet in self.sheets:
                page = book.add_worksheet(sheet.name)
                if sheet.is_too_long:
                    page.write_string(0, 0, sheet.where)
                else:
                    write_sheet(page, formats, sheet.relation.columns, self._rows(sheet.relation))
            self._write_columns(book, formats)
            try:
                book.close()
            except xlsxwriter.exceptions.FileCreateError as error:
                raise error.args[0] from error
        for sheet in self._beside():
            table = ExportedList(sheet.csv.removesuffix(".csv"), sheet.relation, sheet.rows)
            table.write(self.connection, folder, ExportOptions())

    def _write_about(self, book: xlsxwriter.Workbook, formats: Formats) -> None:
        page = book.add_worksheet(ABOUT)
        for column, width in enumerate((26, 12, 110)):
            page.set_column(column, column, width)
        moment = f", as of {self.as_of:%Y-%m-%d %H:%M} UTC" if self.as_of else ""
        sentences = [
            f"The tables of studyflow{moment}.",
            "Times are in UTC. An empty cell means that there is no value, or that it is unknown.",
            f"The last sheet, {COLUMNS}, describes every column.",
        ]
        if self.pseudonyms:
            sentences.append("Pseudonyms replace the ids of participants and people, and names are left out.")
        for row, sentence in enumerate(sentences):
            page.write_string(row, 0, sentence, formats.title if row == 0 else None)
        first = len(sentences) + 1
        for column, heading in enumerate(("sheet", "rows", "what it is")):
            page.write_string(first, column, heading, formats.header)
        for row, sheet in enumerate(self.sheets, start=first + 1):
            page.write_url(row, 0, f"internal:'{sheet.name}'!A1", formats.link, sheet.name)
            page.write_number(row, 1, sheet.rows, formats.whole)
            page.write_string(row, 2, f"{sheet.says} {sheet.where}".strip())

    def _write_columns(self, book: xlsxwriter.Workbook, formats: Formats) -> None:
        found = self.connection.execute("""
            select columns.table_name as "table", columns.column_name as "column", columns.comment as "what it says"
            from duckdb_columns() as columns
            inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
            where columns.database_name = current_database() and columns.schema_name = 'marts'
            order by columns.table_name, columns.column_index
        """)
        named = [Column(str(name), "VARCHAR") for name, *_ in found.description or ()]
        write_sheet(book.add_worksheet(COLUMNS), formats, named, iter(found.fetchall()))

    def _rows(self, relation: Relation) -> Iterator[tuple[object, ...]]:
        answer = self.connection.execute(f"from {relation.sql} order by {relation.order}")
        while found := answer.fetchmany(ROWS_AT_ONCE):
            yield from found

    def _beside(self) -> list[WorkbookSheet]:
        """Sheets whose rows are neither in the workbook nor in a CSV file that every export has."""
        return [sheet for sheet in self.sheets if sheet.is_too_long and sheet.csv.startswith("marts.")]


def plan(
    connection: duckdb.DuckDBPyConnection,
    participants: Relation,
    stages: dict[str, str],
    by_stage: list[int],
    pseudonyms: Pseudonyms | None,
) -> Book:
    """Plan the sheets of all marts. `stages`: names of the stages' files. `by_stage`: participants in each of them."""
    tables = connection.execute("""
        select table_name, comment
        from duckdb_tables()
        where database_name = current_database() and schema_name = 'marts'
        order by table_name <> 'participants', table_name
    """).fetchall()
    taken = {ABOUT.lower(), COLUMNS.lower(), "history"}
    sheets = []
    for (stage, name), rows in zip(stages.items(), by_stage, strict=True):
        says = f"The participants who are in stage {stage} now."
        of_stage = f"(from {participants.sql} where current_stage = {literal(stage)})"
        relation = replace(participants, sql=of_stage)
        sheets.append(WorkbookSheet(_sheet_name(name, taken), relation, rows, says, f"{name}.csv"))
    for table, comment in tables:
        is_participants = table == ALL_PARTICIPANTS
        relation = participants if is_participants else presented(connection, table, pseudonyms)
        csv = f"{table}.csv" if is_participants or table in LISTS else f"marts.{table}.csv"
        rows = len(connection.table(f"marts.{table}"))
        says = " ".join((comment or "").split())
        sheets.append(WorkbookSheet(_sheet_name(table, taken), relation, rows, says, csv))
    return Book(connection, sheets, built_as_of(connection), pseudonyms)


def _sheet_name(name: str, taken: set[str]) -> str:
    """A valid name for a sheet: at most 31 characters, no forbidden ones, and distinct, ignoring case."""
    cleaned = re.sub(r"[\[\]:*?/\\']", "_", name) or "_"
    shown, number = cleaned[:_LONGEST_NAME], 1
    while shown.lower() in taken:
        number += 1
        ending = f"~{number}"
        shown = cleaned[: _LONGEST_NAME - len(ending)] + ending
    taken.add(shown.lower())
    return shown
