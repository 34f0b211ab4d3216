"""`studyflow reconcile`: compares a survey tool's list of completions with the participants of a study."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from pipelines.ask.find import find_study
from pipelines.ask.show import study_label
from pipelines.ask.warehouse import marts_as_of
from pipelines.errors import StudyflowError
from pipelines.export.cells import Column, header, row
from pipelines.plain import plain
from pipelines.system import write_atomically
from pipelines.warehouse import Row, only_row, rows_of

ID_COLUMNS = ("participantid", "personid", "email", "emailaddress")
"""Accepted header names, reduced to letters, by priority: the first that is not blank in a row is used."""
COLUMNS = tuple(
    Column(name, "VARCHAR")
    for name in ("outcome", "id", "participant_id", "person_id", "current_status", "move_to", "note")
)
OUTCOMES = ("to move", "already completed", "unknown")
MOST_SHOWN = 20
QUERY = (Path(__file__).parent / "reconcile.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result for a list: one row per distinct id, ids to move first, and the number of repeated lines.

    A row has `COLUMNS`: the listed id, and the matching participant of the study, if any. Its `outcome` is one of
    `OUTCOMES`. Statuses have the names that Rally shows; `move_to` is the status to choose.
    """

    study_id: str
    study_name: str | None
    rows: list[Row]
    repeated: int
    out: Path | None

    def of(self, outcome: str) -> list[Row]:
        """The rows with this outcome, in the order of the list."""
        return [row for row in self.rows if row["outcome"] == outcome]


def reconcile(
    connection: duckdb.DuckDBPyConnection, study: str, completed_file: Path, out: Path | None = None
) -> Reconciliation:
    """Compare a survey tool's list with a study, and write the result as CSV to `out`.

    `study` is an id, a name or the beginning of either. The list has participant ids, person ids, or email addresses
    that are in people.csv.

    Raises:
        StudyflowError: the tables are not built, `study` matches no study or several, the list cannot be read or has
            no ids, or `out` cannot be written.
    """
    marts_as_of(connection)
    study_id = find_study(connection, study)
    (study_name,) = only_row(connection, "select study_name from marts.study_progress where study_id = $1", [study_id])
    listed = list(_ids(completed_file))
    distinct = _distinct(listed)
    if not distinct:
        msg = f"{completed_file}: has no ids. Export the list of completions again, with ids of participants or people, or with email addresses."
        raise StudyflowError(msg)
    connection.execute(QUERY, {"study_id": study_id, "ids": distinct})
    columns = ", ".join(column.identifier for column in COLUMNS)
    rows = rows_of(connection, f"select {columns} from reconciled order by place")  # noqa: S608
    if out:
        _write(connection, out)
    return Reconciliation(study_id, study_name, rows, len(listed) - len(distinct), out)


def as_dict(compared: Reconciliation) -> dict[str, Any]:
    """The result for JSON: counts by outcome, and a row for each distinct id."""
    return {
        "study_id": compared.study_id,
        "study_name": compared.study_name,
        "counts": {outcome: len(compared.of(outcome)) for outcome in OUTCOMES},
        "repeated": compared.repeated,
        "file": str(compared.out) if compared.out else None,
        "rows": compared.rows,
    }


def render(compared: Reconciliation, console: Console) -> None:
    """Print counts, and the first rows that are to be moved or unknown."""
    counts = ", ".join(f"{len(compared.of(outcome)):,} {outcome}" for outcome in OUTCOMES)
    console.print(
        f"{plain(study_label(compared.study_id, compared.study_name))}: {counts}", highlight=False, soft_wrap=True
    )
    for outcome in ("to move", "unknown"):
        rows = compared.of(outcome)
        if not rows:
            continue
        table = Table(title=outcome.capitalize(), title_justify="left", box=None, padding=(0, 1))
        for name in ("id", "now", "move to", "note"):
            table.add_column(name)
        for values in rows[:MOST_SHOWN]:
            table.add_row(*(plain(values[name] or "") for name in ("id", "current_status", "move_to", "note")))
        console.print(table)
        if len(rows) > MOST_SHOWN:
            console.print(f"… and {len(rows) - MOST_SHOWN:,} more; write them all with --out FILE.csv")
    if compared.repeated:
        console.print(f"{compared.repeated:,} lines of the list repeat an id.")
    if compared.out:
        console.print(f"Written to {plain(str(compared.out))}", highlight=False, soft_wrap=True)


def _distinct(listed: list[str]) -> list[str]:
    """The distinct ids, in the order and spelling of their first lines. Email addresses ignore case."""
    first: dict[str, str] = {}
    for listed_id in listed:
        first.setdefault(listed_id.lower() if "@" in listed_id else listed_id, listed_id)
    return list(first.values())


def _ids(file: Path) -> Iterator[str]:
    """Yield one id for each line that has any: the first that is not blank, by the priority of `ID_COLUMNS`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file}: is not in UTF-8. Save it as CSV in UTF-8."
        raise StudyflowError(msg) from error
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror}). Name the file with the list of completions."
        raise StudyflowError(msg) from error
    delimiter = max(",;\t", key=text.lstrip().partition("\n")[0].count)
    try:
        lines = [
            [cell.strip() for cell in cells] for cells in csv.reader(StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        msg = f"{file}: cannot be read as CSV ({error}). Export the list of completions again."
        raise StudyflowError(msg) from error
    filled = [cells for cells in lines if any(cells)]
    places, start = _id_columns(file, filled)
    for cells in filled[start:]:
        ids = [cells[place] for place in places if place < len(cells)]
        yield from [value for value in ids if value][:1]


def _id_columns(file: Path, lines: list[list[str]]) -> tuple[list[int], int]:
    """The positions of the id columns, and the index of the first line with ids. A single column needs no header."""
    names = [re.sub(r"[^a-z]", "", name.lower()) for name in lines[0]] if lines else []
    places = [names.index(name) for name in ID_COLUMNS if name in names]
    if places:
        return places, 1
    if len(names) <= 1:
        return [0], 1 if names in (["id"], ["ids"]) else 0
    msg = (
        f"{file}: no column with ids; found: {', '.join(lines[0])}. "
        "Name the one with ids participant_id or person_id, one with addresses email, or remove all other columns."
    )
    raise StudyflowError(msg)


def _write(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    lines = connection.execute(f"select {row(list(COLUMNS))} from reconciled order by place").fetchall()  # noqa: S608
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, header(connection, list(COLUMNS)).decode() + "".join(line for (line,) in lines))
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror}). Choose another place."
        raise StudyflowError(msg) from error
