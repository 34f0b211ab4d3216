"""Earlier reports in a folder: the tags in each report, with its as-of time and study, and entries in the manifest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pipelines.errors import StudyflowError
from pipelines.plain import instant
from pipelines.settings import parse_instant

DEFAULT_SPAN = timedelta(days=7)
"""The period that a report covers if there is no previous report."""
REPORT_NAME = re.compile(r"studyflow-\d{4}-\d\d-\d\d\.(html|md)")
"""The file names of dated reports. Files with other names are never removed, even if the manifest lists them."""
_TAGS_ARE_WITHIN = 4096
_AS_OF = re.compile(r"studyflow-as-of(?:\" content=\"|: )([0-9TZ:.+-]+)")
_STUDY = re.compile(r"studyflow-study(?:\" content=\"|: )([A-Za-z0-9%_.~/-]*)")


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


def tags(as_of: datetime, study: str | None) -> dict[str, str]:
    """The tags of a report. Names and values need no escaping."""
    return {"studyflow-as-of": instant(as_of), "studyflow-study": quote(study or "", safe="")}


def last_report(folder: Path, as_of: datetime, study: str | None) -> datetime | None:
    """The as-of time of the latest earlier report in a folder on the same study (None: all studies), if any."""
    files = (*folder.glob("*.html"), *folder.glob("*.md"))
    return max((earlier for file in files if (earlier := _as_of(file, study)) and earlier < as_of), default=None)


def is_report(file: Path) -> bool:
    """Whether the file is a report that studyflow wrote."""
    return _AS_OF.search(_head(file)) is not None


def _as_of(file: Path, study: str | None) -> datetime | None:
    """The as-of time of a report; None if the file is no report, or on another study."""
    head = _head(file)
    as_of, of_study = _AS_OF.search(head), _STUDY.search(head)
    if not as_of or not of_study or unquote(of_study[1]) != (study or ""):
        return None
    try:
        return parse_instant(as_of[1])
    except StudyflowError:
        return None


def _head(file: Path) -> str:
    """The part of a file that can have the tags; empty if the file cannot be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return text.read(_TAGS_ARE_WITHIN)
    except OSError:
        return ""
