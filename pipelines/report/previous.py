"""The last report: every report says in a tag what it speaks of, so the next one knows since when things are news."""

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
    """The moment of the latest report in a folder that speaks of the same and of an earlier moment."""
    moments = [
        moment
        for file in (*folder.glob("*.html"), *folder.glob("*.md"))
        if (moment := _moment(file, study)) and moment < as_of
    ]
    return max(moments, default=None)


def _moment(file: Path, study: str | None) -> datetime | None:
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            head = text.read(_TAG_IS_WITHIN)
        as_of = _AS_OF.search(head)
        of_study = _STUDY.search(head)
        is_same = bool(of_study) and unquote(of_study[1] if of_study else "") == (study or "")
        return parse_instant(as_of[1]) if as_of and is_same else None
    except (OSError, StudyflowError):
        return None


def is_report(file: Path) -> bool:
    """Whether studyflow wrote the file as a report."""
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return _AS_OF.search(text.read(_TAG_IS_WITHIN)) is not None
    except OSError:
        return False
