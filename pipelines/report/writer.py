"""Writes a report to files, and chooses their names and the period that the report covers."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import duckdb

from pipelines.ask.find import only_study
from pipelines.ask.warehouse import marts_as_of
from pipelines.errors import StudyflowError, UsageError
from pipelines.export.names import distinct_names
from pipelines.plain import instant
from pipelines.report import pages
from pipelines.report.content import compose
from pipelines.report.document import Action
from pipelines.report.links import Links
from pipelines.report.previous import DEFAULT_SPAN, last_report
from pipelines.report.questions import Scope, report_timezone
from pipelines.system import write_atomically

Format = Literal["html", "md"]

_KINDS: dict[str, Format] = {".html": "html", ".htm": "html", ".md": "md"}
_ENDING = re.compile(r"\.[a-z]{1,5}")
"""Matches what looks like a file extension."""


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a report, what it covers, and its key numbers by name: what changed, then the actions.

    `actions` are sentences such as "46 unsent incentives that are overdue (oldest 53 d)", the most urgent first.
    """

    files: tuple[Path, ...]
    as_of: datetime
    since: datetime
    study: str | None
    numbers: dict[str, int]
    actions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON."""
        return {
            "files": [str(file) for file in self.files],
            "as_of": instant(self.as_of),
            "since": instant(self.since),
            "study": self.study,
            "numbers": self.numbers,
            "actions": list(self.actions),
        }


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to report.

    `study` is an id or a name; None means all studies. `since` defaults to the last report, or to a week before as-of.
    If `as_of` is set, the data must be as of that time. `names`: tables show the names in people.csv.
    """

    study: str | None = None
    since: datetime | None = None
    as_of: datetime | None = None
    formats: tuple[Format, ...] = ("html", "md")
    names: bool = False
    links: Links = field(default_factory=Links)


def write(connection: duckdb.DuckDBPyConnection, place: Path, request: ReportRequest = ReportRequest()) -> Written:
    """Write a report into the folder `place`, or to the file `place` if it ends in .html, .htm or .md.

    Files are written atomically. The same tables and the same previous report give the same bytes.

    Raises:
        UsageError: `place` has another extension, or `since` is not before as-of.
        StudyflowError: the tables are not built or are as of another time, the study is unknown, or a file cannot be
            written.
    """
    built = marts_as_of(connection)
    if request.as_of and request.as_of != built:
        when = instant(request.as_of)
        msg = (
            f"The data is as of {instant(built)}. Build the tables as of that time first: studyflow run --as-of {when}"
        )
        raise StudyflowError(msg)
    study = only_study(connection, request.study)
    zone = report_timezone(connection)
    files = _files(place, built.astimezone(zone), study, request.formats)
    last = None if request.since else last_report(next(iter(files)).parent, built, study)
    since = request.since or last or built - DEFAULT_SPAN
    if since >= built:
        msg = f"The data is as of {instant(built)}: nothing is known since {instant(since)}. Choose an earlier --since."
        raise UsageError(msg)
    scope = Scope(built, since, zone, study)
    document = compose(connection, scope, request.links, names=request.names, is_since_report=last is not None)
    for file, kind in files.items():
        _put(file, pages.report(document, kind))
    return Written(tuple(files), built, since, study, document.numbers, tuple(map(_sentence, document.actions)))


def _files(place: Path, as_of: datetime, study: str | None, formats: tuple[Format, ...]) -> dict[Path, Format]:
    ending = place.suffix.lower()
    if ending in _KINDS and not place.is_dir():
        return {place: _KINDS[ending]}
    if _ENDING.fullmatch(ending) and not place.is_dir():
        msg = f"{place}: a report is written as .html or .md. For a folder of that name, make it first."
        raise UsageError(msg)
    stem = f"studyflow-{as_of:%Y-%m-%d}"
    if study is not None:
        stem = f"{stem}-{distinct_names([study])[study]}"
    return {place / f"{stem}.{kind}": kind for kind in formats}


def _sentence(action: Action) -> str:
    details = f" ({'; '.join(action.details)})" if action.details else ""
    return f"{action.number:,} {action.what}{details}"


def _put(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        msg = f"{path}: the report cannot be written here ({error.strerror}). Choose another --out."
        raise StudyflowError(msg) from error
