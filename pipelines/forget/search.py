"""The proof that nothing is left: a search through the new warehouse and everything else that studyflow writes."""

import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines.forget.contents import UNREADABLE, is_in_file, text_columns, values
from pipelines.forget.known import Known
from pipelines.forget.leftovers import packed_by
from pipelines.load.forms import FORMS, NOT_UNDONE
from pipelines.load.sources import display_name
from pipelines.load.wanted import Wanted
from pipelines.warehouse import connect, only_row

ID_COLUMNS = {"person_id": "is_forgotten_person({})", "participant_id": "is_forgotten_participant({})"}

OF_OTHERS = {"study_id", "study_name"}
"""Columns whose ids are of something else. A study can have the id that a person has."""

FEWEST_BYTES = 6
"""Shorter texts are in the blocks of a database by chance."""


@dataclass(slots=True)
class Search:
    """What was looked at, every place where something of theirs was found, and what was not searched, and why."""

    columns: int = 0
    files: int = 0
    found: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    not_searched: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "columns_searched": self.columns,
            "files_searched": self.files,
            "forms_searched": ["as it is", *(form.name for form in FORMS)],
            "found": self.found,
            "could_not_be_read": self.unread,
            "not_searched": self.not_searched,
        }


def search(database: Path, places: Iterable[Path], known: Known) -> Search:
    """Look for ids and names in each column of text, in the bytes of the warehouse, and in all files of the places."""
    done = Search(not_searched=_not_searched(known))
    wanted = known.anywhere
    with connect(database, read_only=True) as connection:
        known.register_macros(connection)
        _tables(connection, wanted, done)
        done.files += 1
        if any(not _is_part_of_another(connection, one) for one in _in_bytes(database, wanted)):
            done.found.append(display_name(database))
    for path in sorted({file for place in places for file in (place, *place.rglob("*"))}):
        try:
            if path.is_dir():
                os.scandir(path).close()  # an error where it may not be listed
            if not path.is_file():
                continue
            done.files += 1
            if process := packed_by(path):
                done.unread.append(
                    f"{_place(path, wanted)} (packed by process {process}; remove it when that has ended)"
                )
            elif is_in_file(path, wanted, known.ids):
                done.found.append(_place(path, wanted))
        except FileNotFoundError:  # another process is done with it
            continue
        except UNREADABLE as error:
            done.unread.append(f"{_place(path, wanted)} (cannot be read: {type(error).__name__})")
    return done


def _place(path: Path, wanted: Wanted) -> str:
    """What to call a file whose name may be an id."""
    name = display_name(path)
    return f"{_place(path.parent, wanted)} (a name in it)" if wanted.are_in(name.encode()) else name


def _not_searched(known: Known) -> list[str]:
    said = [
        f"other forms: {NOT_UNDONE}",
        f"columns {' and '.join(sorted(OF_OTHERS))}, which are of studies, and schema reference; dbt's target folder, which has no data",
    ]
    if known.anywhere.short:
        said.append(
            "ids and names of one to three characters, or of four or five digits, in running text: "
            "only in columns of ids, in quotes and in whole cells"
        )
    if known.people_rows and not known.ids.names:
        said.append("the name: people.csv has none, or has it for others, too")
    elif not known.people_rows:
        said.append("the name: it is not in people.csv")
    return said


def _tables(connection: duckdb.DuckDBPyConnection, wanted: Wanted, done: Search) -> None:
    for relation, column in text_columns(connection):
        if column in OF_OTHERS or relation.startswith('"reference".'):
            continue
        done.columns += 1
        place = f"{relation.replace(chr(34), '')}.{column}"
        if column in ID_COLUMNS:
            condition = ID_COLUMNS[column].format(f'"{column}"')
            if rows := only_row(connection, f"select count(*) from {relation} where {condition}")[0]:  # noqa: S608
                done.found.append(f"{place}: {rows} rows")
        elif any(wanted.are_in(text) for text in values(connection, relation, column)):
            done.found.append(place)


def _in_bytes(file: Path, wanted: Wanted) -> list[str]:
    """Those of the texts that the bytes of a file have."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        texts = ((one, one.encode("utf-8", "surrogatepass")) for one in wanted.texts)
        return [one for one, text in texts if len(text) >= FEWEST_BYTES and content.find(text) >= 0]


def _is_part_of_another(connection: duckdb.DuckDBPyConnection, one: str) -> bool:
    """Whether something that stays has the text as a part, as person-10 has person-1: then it is those bytes."""
    conditions = (
        f'select exists(select 1 from {relation} where contains("{column}"::varchar, $one) and "{column}"::varchar <> $one)'  # noqa: S608
        for relation, column in text_columns(connection)
    )
    return any(only_row(connection, condition, {"one": one})[0] for condition in conditions)
