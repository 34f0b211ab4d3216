"""The queries of a report: each a file in queries/, asked as it is shown, with the values of the report written in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.plain import instant
from pipelines.warehouse import Row, rows_of

QUERIES = Path(__file__).parent / "queries"

_VALUE = re.compile(r"\$(since|before|study|rows)\b")
_COLUMN = re.compile(r"--   ([^:|]+?)(?: \| (.*?) \| (.*?))?(?:: (.*))?")
"""`--   key: meaning`, or of a column that a table shows `--   key | Label | how it is written: meaning`."""


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
class ShownColumn:
    """A column that a table shows, as the head of its query says: what it is called, and how its cells are written."""

    key: str
    label: str
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A query with its values written in, what its head says of it and of its columns, and its rows."""

    name: str
    about: str
    shown: Sequence[ShownColumn]
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
    about, shown, meanings, sql = read(name)
    values = {"since": scope.since, "before": scope.since - scope.span, "study": scope.study, "rows": rows}
    filled = _VALUE.sub(lambda found: _literal(values[found[1]]), sql)
    try:
        found = rows_of(connection, filled)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        what = str(error).splitlines()[0]
        msg = f"The tables are not those that this report reads ({what}). Build them again: studyflow run"
        raise StudyflowError(msg) from error
    return Answer(name, about, shown, meanings, filled, found)


def read(name: str) -> tuple[str, list[ShownColumn], dict[str, str], str]:
    """A query's file: what it is about, which columns are shown, what they mean or the column that says so, and the query."""
    lines = (QUERIES / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("--")]
    about = " ".join(line.removeprefix("-- ") for line in head if not _COLUMN.fullmatch(line))
    columns = [found.groups() for line in head if (found := _COLUMN.fullmatch(line))]
    shown = [ShownColumn(key, label, tuple(how.split())) for key, label, how, _ in columns if how]
    meanings = {key: meaning for key, _, _, meaning in columns if meaning}
    return about, shown, meanings, "\n".join(lines[len(head) :])


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
