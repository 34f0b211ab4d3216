"""A report in a folder of dated reports, as the folder remembers it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.settings import parse_instant

OURS = re.compile(r"studyflow-\d{4}-\d\d-\d\d\.(html|md)")
"""The names of reports in such a folder. Only files with such names are ever removed."""


@dataclass(frozen=True, slots=True)
class ArchivedReport:
    """A report: its as-of, its files' names, what it asks for first."""

    as_of: datetime
    files: tuple[str, ...]
    actions: tuple[str, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "ArchivedReport":
        """The report of a row of the folder's memory."""
        names = tuple(name for name in row["files"] if OURS.fullmatch(name))
        return cls(parse_instant(row["as_of"]), names, tuple(map(str, row["actions"])))
