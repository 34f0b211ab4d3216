"""Runs the queries of a report. Each is a file in queries/ whose head describes it and its columns.

Values are written into the SQL, because the report shows each query in a form that readers can run.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipelines.errors import StudyflowError
from pipelines.plain import instant
from pipelines.warehouse import Row, literal, rows_of

QUERIES = Path(__file__).parent / "queries"

_VALUE = re.compile(r"\$(since|before_since|before_until|study|rows)\b")
_LIST_COMMAND = "-- All: "
"""The prefix of the command for the whole list. In it, `{study}` stands for ` --study ID` if the report has a study."""
_COLUMN = re.compile(r"--   ([^:|]+?)(?: \| (.*?) \| (.*?))?(?:: (.*))?")
"""`--   key: meaning`, or for a column that a table shows `--   key | Label | format: meaning`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report covers: the time after `since` up to `as_of`, and one study or (None) all studies.

    Times are shown in `zone`, the report_timezone that the tables were built with.
    """

    as_of: datetime
    since: datetime
    zone: ZoneInfo
    study: str | None = None

    @property
    def span(self) -> timedelta:
        """The length of the period."""
        return self.as_of - self.since

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The period to compare with: the same weekdays in the latest earlier week that does not overlap."""
        earlier = timedelta(weeks=max(1, ceil(self.span / timedelta(weeks=1))))
        return self.local(self.since) - earlier, self.local(self.as_of) - earlier

    def local(self, instant: datetime) -> datetime:
        """The instant in the report's time zone, or unchanged if that overflows (in the years 1 and 9999)."""
        try:
            return instant.astimezone(self.zone)
        except OverflowError:
            return instant


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column that a table shows. `format` is the name of a format in `tables.py` and its arguments."""

    key: str
    label: str
    format: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A query with its values filled in, the descriptions in its head, and its rows.

    `list_command` is the command that shows all rows. It is empty if the query has no limit. `meanings`: by column, a
    text or the name of the table column whose comment is the meaning.
    """

    name: str
    about: str
    list_command: str
    shown: Sequence[ShownColumn]
    meanings: Mapping[str, str]
    sql: str
    rows: list[Row]

    @property
    def total_rows(self) -> int:
        """The number of rows without the limit."""
        return int(self.rows[0].get("of_all", len(self.rows))) if self.rows else 0


Answers = Mapping[str, Answer]
"""Answers by a name for each."""


def ask(connection: duckdb.DuckDBPyConnection, name: str, scope: Scope, rows: int = 12) -> Answer:
    """Run a query of queries/, with at most `rows` rows if the query has a limit.

    Raises:
        StudyflowError: the tables were built by another version of studyflow.
    """
    query = read(name)
    before_since, before_until = scope.before
    values = {
        "since": scope.since,
        "before_since": before_since,
        "before_until": before_until,
        "study": scope.study,
        "rows": rows,
    }
    filled = _VALUE.sub(lambda match: _literal(values[match[1]]), query.sql)
    try:
        found = rows_of(connection, filled)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        what = str(error).splitlines()[0]
        msg = f"The tables do not match this version of the report ({what}). Build them again: studyflow run"
        raise StudyflowError(msg) from error
    for row in found:
        row.update({key: scope.local(value) for key, value in row.items() if isinstance(value, datetime)})
    study = shlex.quote(scope.study or "")
    option = f" --study {study}" if scope.study else ""
    list_command = query.list_command.replace("{study}", option).replace("{study_id}", study)
    return replace(query, list_command=list_command, sql=filled, rows=found)


def report_timezone(connection: duckdb.DuckDBPyConnection) -> ZoneInfo:
    """The report_timezone that the tables were built with.

    Raises:
        StudyflowError: the tables were built by an earlier version of studyflow.
    """
    try:
        [(zone,)] = connection.execute("select report_timezone from audit.built_as_of").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        msg = "The tables were built by an earlier version. Build them again: studyflow run"
        raise StudyflowError(msg) from error
    return ZoneInfo(zone)


def read(name: str) -> Answer:
    """Parse a query file. Its values are not filled in yet, and there are no rows."""
    lines = (QUERIES / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("--")]
    list_command = next((line.removeprefix(_LIST_COMMAND) for line in head if line.startswith(_LIST_COMMAND)), "")
    about = " ".join(
        line.removeprefix("-- ") for line in head if not line.startswith(_LIST_COMMAND) and not _COLUMN.fullmatch(line)
    )
    columns = [match.groups() for line in head if (match := _COLUMN.fullmatch(line))]
    shown = [ShownColumn(key, label, tuple(words.split())) for key, label, words, _ in columns if words]
    meanings = {key: meaning for key, _, _, meaning in columns if meaning}
    return Answer(name, about, list_command, shown, meanings, "\n".join(lines[len(head) :]), [])


def _literal(value: datetime | str | int | None) -> str:
    """A value as a SQL literal. NUL is written as chr(0), because DuckDB ends a query at a NUL."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamptz '{instant(value)}'"
    if isinstance(value, int):
        return str(value)
    return literal(value).replace("\0", "' || chr(0) || '")
