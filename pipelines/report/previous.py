"""The last report: every report says in a tag what it covers, so the next one knows since when things are news."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

from pipelines.errors import StudyflowError
from pipelines.plain import instant
from pipelines.settings import parse_instant

WITHOUT_ONE = timedelta(days=7)
_TAG_IS_WITHIN = 4096
_AS_OF = re.compile(r"studyflow-as-of(?:\" content=\"|: )([0-9TZ:.+-]+)")
_STUDY = re.compile(r"studyflow-study(?:\" content=\"|: )([A-Za-z0-9%_.~/-]*)")


def tags(as_of: datetime, study: str | None) -> dict[str, str]:
    """What a report is to be known by: names and values that need no escaping."""
    return {"studyflow-as-of": instant(as_of), "studyflow-study": quote(study or "", safe="")}


def last_report(folder: Path, as_of: datetime, study: str | None) -> datetime | None:
    """As-of of the latest report in a folder that covers the same studies and is as of an earlier time."""
    moments = [
        moment
        for file in (*folder.glob("*.html"), *folder.glob("*.md"))
        if (moment := _moment(file, study)) and moment < as_of
    ]
    return max(moments, default=None)


def is_report(file: Path) -> bool:
    """Whether studyflow wrote the file as a report."""
    return _AS_OF.search(_head(file)) is not None


def _moment(file: Path, study: str | None) -> datetime | None:
    head = _head(file)
    as_of, of_study = _AS_OF.search(head), _STUDY.search(head)
    if not as_of or not of_study or unquote(of_study[1]) != (study or ""):
        return None
    try:
        return parse_instant(as_of[1])
    except StudyflowError:
        return None


def _head(file: Path) -> str:
    """The part of a file that has the tags; empty if it cannot be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return text.read(_TAG_IS_WITHIN)
    except OSError:
        return ""
