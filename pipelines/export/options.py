"""Options of an export."""

from dataclasses import dataclass

from pipelines.export.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`by_study`: also write a folder for each study. `parquet`: write each table in this format, too.

    `workbook`: also write one workbook of all marts. `excel`: write CSV files so that spreadsheets recognise times and
    amounts. `pseudonyms`: replace ids of people; rows are then sorted by pseudonym. `force`: export even if this drops
    most participants of the last export.
    """

    by_study: bool = False
    parquet: bool = False
    workbook: bool = False
    excel: bool = False
    pseudonyms: Pseudonyms | None = None
    force: bool = False

    @property
    def endings(self) -> tuple[str, ...]:
        """The formats of tables, which are the extensions of their files."""
        return ("csv", "parquet") if self.parquet else ("csv",)
