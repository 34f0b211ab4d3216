"""The queries of a report: each a file in queries/, asked as it is shown, with the values of the report written in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import StudyflowError

QUERIES = Path(__file__).parent / "queries"

Row = dict[str, Any]

_VALUE = re.compile(r"\$(since|before|study|rows)\b")
_ABOUT = re.compile(r"--   ([^:]+): (.*)")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report speaks of: everything after `since` up to `as_of`, of one study or (None) of all."""

    as_of: datetime
    since: datetime
    study: str | None = None

    @property
    def span(self) -> timedelta:
        """How long that is."""
        return self.as_of - self.since

    def of(self, study: str) -> "Scope":
        """The same of one study."""
        return replace(self, study=study)


@dataclass(frozen=True, slots=True)
class Answer:
    """A query with its values written in, what its head says of it and of its columns, and its rows."""

    name: str
    about: str
    meanings: Mapping[str, str]
    sql: str
    rows: list[Row]

    @property
    def of_all(self) -> int:
        """How many rows there would be without a limit."""
        return int(self.rows[0].get("of_all", len(self.rows))) if self.rows else 0


def ask(connection: duckdb.DuckDBPyConnection, name: str, scope: Scope, rows: int = 12) -> Answer:
    """The answer to a query of queries/, with at most so many rows where it has a limit.

    Raises:
        StudyflowError: the tables are not those of this version of studyflow.
    """
    about, meanings, sql = read(name)
    values = {"since": scope.since, "before": scope.since - scope.span, "study": scope.study, "rows": rows}
    filled = _VALUE.sub(lambda found: _literal(values[found[1]]), sql)
    try:
        cursor = connection.execute(filled)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        what = str(error).splitlines()[0]
        msg = f"The tables are not those that this report reads ({what}). Build them again: studyflow run"
        raise StudyflowError(msg) from error
    names = [column[0] for column in cursor.description or []]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return Answer(name, about, meanings, filled, found)


def read(name: str) -> tuple[str, dict[str, str], str]:
    """A query's file: what it is about, what its columns mean or the column that says so, and the query."""
    lines = (QUERIES / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("--")]
    meanings = {found[1]: found[2] for line in head if (found := _ABOUT.fullmatch(line))}
    about = " ".join(line.removeprefix("-- ") for line in head if not _ABOUT.fullmatch(line))
    return about, meanings, "\n".join(lines[len(head) :])


def instant(moment: datetime) -> str:
    """An instant as SQL and machines read it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _literal(value: datetime | str | int | None) -> str:
    """A value as SQL. A query ends where a NUL stands, so that is spelled out."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamptz '{instant(value)}'"
    if isinstance(value, int):
        return str(value)
    quoted = "'" + value.replace("'", "''") + "'"
    return quoted.replace("\0", "' || chr(0) || '")
