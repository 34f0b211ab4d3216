"""What an export has beside one CSV file per stage and one of all participants."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipelines.export.pseudonyms import Pseudonyms

Format = Literal["csv", "parquet", "xlsx"]
"""A file for each table, or one workbook of all."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """A folder for each study, Parquet files, a workbook; and pseudonyms in place of the ids of people.

    `excel`: CSV files as spreadsheets read them.

    `force`: it is made even if it drops most of the participants who are in the export of before.
    """

    by_study: bool = False
    parquet: bool = False
    workbook: bool = False
    excel: bool = False
    pseudonyms: "Pseudonyms | None" = None
    force: bool = False

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats of the files."""
        return ("csv", *(("parquet",) if self.parquet else ()), *(("xlsx",) if self.workbook else ()))
