"""One workbook of everything: what it is, a sheet of each stage as in Rally, of all participants, of each other mart."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import xlsxwriter

from pipelines.export import cells
from pipelines.export.cells import Column
from pipelines.export.mart import LINE, ROWS_AT_ONCE
from pipelines.export.pseudonyms import IDS, Pseudonyms
from pipelines.export.replace import DRAFTS
from pipelines.export.sheet import HIGHEST_SHEET, Formats, write_sheet
from pipelines.export.tables import EVERYONE, CsvTable
from pipelines.state import built_as_of
from pipelines.warehouse import only_row

WORKBOOK = "studyflow.xlsx"
ABOUT, COLUMNS = "About", "Columns"
# No pseudonym stands for a name.
NAMES = ("person_name",)
_LONGEST_NAME = 31


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """A table as a sheet has it: the rows of a query, in order, and what is said of them on the first sheet.

    `file` is the CSV file that has them where a sheet cannot hold them.
    """

    name: str
    table: str
    columns: list[Column]
    order: str
    rows: int
    says: str
    values: dict[str, str] = field(default_factory=dict)
    file: str | None = None

    @property
    def of(self) -> str:
        """The table, or the part of it that the sheet has."""
        return f"(select * from {self.table} where current_stage = $stage)" if self.values else self.table  # noqa: S608


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets, and the moment that they speak for."""

    sheets: list[WorkbookSheet]
    as_of: datetime | None
    pseudonyms: Pseudonyms | None

    @property
    def files(self) -> dict[str, int]:
        """The rows of each file that it takes."""
        held = {sheet.name: sheet.rows for sheet in self.sheets if not sheet.file}
        beside = {sheet.file: sheet.rows for sheet in self.sheets if sheet.file and sheet.table != _PARTICIPANTS}
        return {WORKBOOK: sum(held.values()), **beside}

    @property
    def made_with(self) -> str:
        """What its bytes depend on beside the marts."""
        sources = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("workbook.py", "sheet.py")]
        return repr((xlsxwriter.__version__, sources))

    def write(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        """Write the workbook, and what it cannot hold beside it. The same marts give the same bytes.

        Raises:
            OSError: it cannot be written.
        """
        # Not in the folder: of an export that was killed, what is not in its manifest would be taken for somebody's.
        # Beside it, where the next export clears what is left of one that was killed.
        with TemporaryDirectory(prefix=DRAFTS, dir=folder.parent) as drafts, (folder / WORKBOOK).open("xb") as file:
            self._write(connection, folder, xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": drafts}))

    def _write(self, connection: duckdb.DuckDBPyConnection, folder: Path, book: xlsxwriter.Workbook) -> None:
        # Not the time of writing: the same marts are the same file.
        created = (self.as_of or datetime(1980, 1, 1, tzinfo=UTC)).replace(tzinfo=None)
        book.set_properties({"title": "studyflow", "created": created})
        formats = Formats(book)
        self._write_about(book, formats)
        for sheet in self.sheets:
            page = book.add_worksheet(sheet.name)
            if not sheet.file:
                write_sheet(page, formats, sheet.columns, self._rows(connection, sheet))
                continue
            page.write_string(0, 0, self._where(sheet))
            if sheet.table != _PARTICIPANTS:
                self._write_beside(connection, sheet, folder)
        self._write_columns(connection, book, formats)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise error.args[0] from error

    def _write_about(self, book: xlsxwriter.Workbook, formats: Formats) -> None:
        page = book.add_worksheet(ABOUT)
        page.set_column(0, 0, 26)
        page.set_column(1, 1, 12)
        page.set_column(2, 2, 110)
        said = [
            f"The tables of studyflow, as of {self.as_of:%Y-%m-%d %H:%M} UTC."
            if self.as_of
            else "The tables of studyflow.",
            "Times are in UTC. An empty cell says that there is nothing, or that nobody knows.",
            f"What each column holds stands on the last sheet, {COLUMNS}.",
        ]
        if self.pseudonyms:
            said.append("Pseudonyms stand in place of the ids of participants and persons, and names are left out.")
        for row, sentence in enumerate(said):
            page.write_string(row, 0, sentence, formats.title if row == 0 else None)
        first = len(said) + 1
        for column, heading in enumerate(("sheet", "rows", "what it is")):
            page.write_string(first, column, heading, formats.header)
        for row, sheet in enumerate(self.sheets, start=first + 1):
            page.write_url(row, 0, f"internal:'{sheet.name}'!A1", formats.link, sheet.name)
            page.write_number(row, 1, sheet.rows, formats.whole)
            page.write_string(row, 2, f"{sheet.says} {self._where(sheet)}".strip())

    def _where(self, sheet: WorkbookSheet) -> str:
        if not sheet.file:
            return ""
        return (
            f"These {sheet.rows:,} rows are more than a sheet can hold. They are in {sheet.file}, in the same folder."
        )

    def _write_columns(
        self, connection: duckdb.DuckDBPyConnection, book: xlsxwriter.Workbook, formats: Formats
    ) -> None:
        found = connection.execute("""
            select columns.table_name as "table", columns.column_name as "column", columns.comment as "what it says"
            from duckdb_columns() as columns
            inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
            where columns.database_name = current_database() and columns.schema_name = 'marts'
            order by columns.table_name, columns.column_index
        """)
        named = [Column(str(name), "VARCHAR") for name, *_ in found.description or ()]
        write_sheet(book.add_worksheet(COLUMNS), formats, named, iter(found.fetchall()))

    def _rows(self, connection: duckdb.DuckDBPyConnection, sheet: WorkbookSheet) -> Iterator[tuple[object, ...]]:
        columns = ", ".join(self._shown(column) for column in sheet.columns)
        with self._named(connection, sheet) as rows:
            answer = connection.execute(f"select {columns} from {rows} order by {sheet.order}", sheet.values)  # noqa: S608
            while found := answer.fetchmany(ROWS_AT_ONCE):
                yield from found

    def _write_beside(self, connection: duckdb.DuckDBPyConnection, sheet: WorkbookSheet, folder: Path) -> None:
        columns = ", ".join(f"{self._shown(column)} as {column.identifier}" for column in sheet.columns)
        with (folder / str(sheet.file)).open("xb") as file, self._named(connection, sheet) as rows:
            table = CsvTable(file, cells.header(connection, sheet.columns))
            query = f"select {cells.row(sheet.columns)} as {LINE} from (select {columns} from {rows} order by {sheet.order})"  # noqa: S608
            with connection.sql(query).to_arrow_reader(ROWS_AT_ONCE) as reader:
                for batch in reader:
                    table.write(batch)

    def _named(self, connection: duckdb.DuckDBPyConnection, sheet: WorkbookSheet) -> "nullcontext[str]":
        ids = [column.name for column in sheet.columns if column.name in IDS]
        if self.pseudonyms and ids:
            return self.pseudonyms.in_place_of_ids(connection, sheet.of, sheet.values, ids)  # type: ignore[return-value]
        return nullcontext(sheet.of)

    def _shown(self, column: Column) -> str:
        return "cast(null as varchar)" if self.pseudonyms and column.name in NAMES else column.identifier


_PARTICIPANTS = "marts.participants"


def plan(
    connection: duckdb.DuckDBPyConnection,
    columns: list[Column],
    stages: dict[str, str],
    counts: dict[str, tuple[int, ...]],
    pseudonyms: Pseudonyms | None,
) -> Book:
    """The sheets of the marts as they are: stages by the name of their files, participants by study and stage as counted."""
    by_stage = [sum(rows) for rows in zip(*counts.values(), strict=True)] or [0] * len(stages)
    tables = connection.execute("""
        select table_name, comment
        from duckdb_tables()
        where database_name = current_database() and schema_name = 'marts'
        order by table_name <> 'participants', table_name
    """).fetchall()
    taken = {ABOUT.lower(), COLUMNS.lower(), "history"}
    order = "study_id, participant_id"
    sheets = [
        WorkbookSheet(
            name=_sheet_name(name, taken),
            table=_PARTICIPANTS,
            columns=columns,
            order=order,
            rows=rows,
            says=f"The participants who are in stage {stage} now.",
            values={"stage": stage},
            file=_file(f"{name}.csv", rows),
        )
        for (stage, name), rows in zip(stages.items(), by_stage, strict=True)
    ]
    for table, comment in tables:
        everyone = table == EVERYONE
        described = connection.execute(f"describe marts.{table}").fetchall()
        shown = columns if everyone else [Column(str(name), str(kind)) for name, kind, *_ in described]
        rows = only_row(connection, f"select count(*) from marts.{table}")[0]  # noqa: S608
        file = _file(f"{table}.csv" if everyone else f"marts.{table}.csv", rows)
        says = " ".join((comment or "").split())
        sheets.append(
            WorkbookSheet(
                _sheet_name(table, taken),
                f"marts.{table}",
                shown,
                order if everyone else _order(shown),
                rows,
                says,
                file=file,
            )
        )
    return Book(sheets, built_as_of(connection), pseudonyms)


def _order(columns: list[Column]) -> str:
    """By all columns, as they stand; what has a place of its own, like a step, by that."""
    places = {column.name: column.identifier for column in columns}
    ordered = [places.get(f"{column.name}_order", column.identifier) for column in columns]
    return ", ".join(dict.fromkeys([*ordered, *places.values()]))


def _file(name: str, rows: int) -> str | None:
    return name if rows > HIGHEST_SHEET else None


def _sheet_name(name: str, taken: set[str]) -> str:
    """At most 31 characters, none that a sheet's name may not have, and no two alike, in any case."""
    cleaned = re.sub(r"[\[\]:*?/\\']", "_", name) or "_"
    shown, number = cleaned[:_LONGEST_NAME], 1
    while shown.lower() in taken:
        number += 1
        ending = f"~{number}"
        shown = cleaned[: _LONGEST_NAME - len(ending)] + ending
    taken.add(shown.lower())
    return shown
