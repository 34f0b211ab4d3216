"""The queries of a report: each a file in queries/, asked as it is shown, with the values of the report written in."""

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
_WHOLE = "-- All: "
"""Comes before the command for the whole list; there `{study}` is an option for the study, if any, and `{study_id}` its id."""
_COLUMN = re.compile(r"--   ([^:|]+?)(?: \| (.*?) \| (.*?))?(?:: (.*))?")
"""`--   key: meaning`, or of a column that a table shows `--   key | Label | how it is written: meaning`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report covers: everything after `since` up to `as_of`, of one study or (None) of all.

    Times are shown in `zone`, the var report_timezone that the tables were built with.
    """

    as_of: datetime
    since: datetime
    zone: ZoneInfo
    study: str | None = None

    @property
    def span(self) -> timedelta:
        """How long that is."""
        return self.as_of - self.since

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The same days of an earlier week, by the clock of the zone: the last week that does not overlap."""
        earlier = timedelta(weeks=max(1, ceil(self.span / timedelta(weeks=1))))
        return self.local(self.since) - earlier, self.local(self.as_of) - earlier

    def local(self, moment: datetime) -> datetime:
        """An instant as the clocks of the zone show it; in UTC where they cannot, in the year 1 or 9999."""
        try:
            return moment.astimezone(self.zone)
        except OverflowError:
            return moment

    def of(self, study: str) -> "Scope":
        """The same of one study."""
        return replace(self, study=study)


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column that a table shows, as the head of its query says: what it is called, and how its cells are written."""

    key: str
    label: str
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A query with its values written in, what its head says of it and of its columns, and its rows.

    `whole` is the command that has all rows, empty where the query always gives all.
    """

    name: str
    about: str
    whole: str
    shown: Sequence[ShownColumn]
    meanings: Mapping[str, str]
    sql: str
    rows: list[Row]

    @property
    def of_all(self) -> int:
        """How many rows there would be without a limit."""
        return int(self.rows[0].get("of_all", len(self.rows))) if self.rows else 0


def ask(connection: duckdb.DuckDBPyConnection, name: str, scope: Scope, rows: int = 12) -> Answer:
    """The answer to a query of queries/, with at most `rows` rows if the query has a limit.

    Raises:
        StudyflowError: the tables are not those of this version of studyflow.
    """
    about, whole, shown, meanings, sql = read(name)
    before_since, before_until = scope.before
    values = {
        "since": scope.since,
        "before_since": before_since,
        "before_until": before_until,
        "study": scope.study,
        "rows": rows,
    }
    filled = _VALUE.sub(lambda found: _literal(values[found[1]]), sql)
    try:
        found = rows_of(connection, filled)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        what = str(error).splitlines()[0]
        msg = f"The tables do not match this version of the report ({what}). Build them again: studyflow run"
        raise StudyflowError(msg) from error
    for row in found:
        row.update({key: scope.local(value) for key, value in row.items() if isinstance(value, datetime)})
    study = shlex.quote(scope.study or "")
    whole = whole.replace("{study}", f" --study {study}" if scope.study else "").replace("{study_id}", study)
    return Answer(name, about, whole, shown, meanings, filled, found)


def report_timezone(connection: duckdb.DuckDBPyConnection) -> ZoneInfo:
    """The time zone that the tables were built with.

    Raises:
        StudyflowError: the tables are those of an earlier version of studyflow.
    """
    try:
        [(zone,)] = connection.execute("select report_timezone from audit.built_as_of").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        msg = "The tables were built by an earlier version. Build them again: studyflow run"
        raise StudyflowError(msg) from error
    return ZoneInfo(zone)


def read(name: str) -> tuple[str, str, list[ShownColumn], dict[str, str], str]:
    """A query's file: its subject, the command for all rows, the columns shown, what they mean or which column says so, the SQL."""
    lines = (QUERIES / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("--")]
    whole = next((line.removeprefix(_WHOLE) for line in head if line.startswith(_WHOLE)), "")
    about = " ".join(
        line.removeprefix("-- ") for line in head if not line.startswith(_WHOLE) and not _COLUMN.fullmatch(line)
    )
    columns = [found.groups() for line in head if (found := _COLUMN.fullmatch(line))]
    shown = [ShownColumn(key, label, tuple(how.split())) for key, label, how, _ in columns if how]
    meanings = {key: meaning for key, _, _, meaning in columns if meaning}
    return about, whole, shown, meanings, "\n".join(lines[len(head) :])


def _literal(value: datetime | str | int | None) -> str:
    """A value as SQL. A query ends where a NUL stands, so that is spelled out."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamptz '{instant(value)}'"
    if isinstance(value, int):
        return str(value)
    return literal(value).replace("\0", "' || chr(0) || '")
