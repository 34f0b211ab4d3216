"""Options of an export."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipelines.export.pseudonyms import Pseudonyms

Format = Literal["csv", "parquet", "xlsx"]
"""csv and parquet are one file per table; xlsx is one workbook of all tables."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`by_study`: also write a folder for each study. `parquet`, `workbook`: also write these formats.

    `excel`: write CSV files so that spreadsheets recognise times and amounts. `pseudonyms`: replace ids of people.
    `force`: export even if this drops most participants of the last export.
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
