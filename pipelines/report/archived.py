"""An entry in the manifest of a folder of dated reports."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.settings import parse_instant

REPORT_NAME = re.compile(r"studyflow-\d{4}-\d\d-\d\d\.(html|md)")
"""The file names of dated reports. Files with other names are never removed, even if the manifest lists them."""


@dataclass(frozen=True, slots=True)
class ArchivedReport:
    """A dated report: its as-of time, the names of its files, and its actions as sentences."""

    as_of: datetime
    files: tuple[str, ...]
    actions: tuple[str, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "ArchivedReport":
        """The report from its entry in the manifest."""
        names = tuple(name for name in row["files"] if REPORT_NAME.fullmatch(name))
        return cls(parse_instant(row["as_of"]), names, tuple(map(str, row["actions"])))
