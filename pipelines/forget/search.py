"""The proof that nothing is left: a search through the new warehouse and everything else that studyflow writes."""

import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines.forget.contents import UNREADABLE, Column, is_in_file, places_in, text_columns
from pipelines.forget.known import Known
from pipelines.forget.leftovers import packed_by
from pipelines.load.encodings import ENCODINGS, NOT_DECODED
from pipelines.load.search_terms import SearchTerms
from pipelines.load.sources import display_name
from pipelines.state import engine_of
from pipelines.warehouse import connect, only_row

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
            "forms_searched": ["as it is", *(form.name for form in ENCODINGS)],
            "found": self.found,
            "could_not_be_read": self.unread,
            "not_searched": self.not_searched,
        }


def search(database: Path, places: Iterable[Path], known: Known) -> Search:
    """Look for ids and names in each column of text, in the bytes of the warehouse, and in all files of the places."""
    done = Search(files=1, not_searched=_not_searched(known))
    with connect(database, read_only=True) as connection:
        columns = text_columns(connection)
        done.columns = sum(is_of_people for *_, is_of_people in columns)
        done.found += places_in(connection, known, columns)
        if _is_in_bytes(database, known, connection, columns):
            done.found.append(display_name(database))
        behind_views = _search_views(connection, known, done) if engine_of(connection) == "spark" else set()
    for path in sorted({file for place in places for file in (place, *place.rglob("*"))}):
        name = _place(path, known.anywhere)
        try:
            if path.is_dir():
                os.scandir(path).close()  # an error where it may not be listed
            if path in behind_views or not path.is_file():
                continue
            done.files += 1
            if process := packed_by(path):
                done.unread.append(f"{name} (packed by process {process}; remove it when that has ended)")
            elif is_in_file(path, known):
                done.found.append(name)
        except FileNotFoundError:  # another process is done with it
            continue
        except UNREADABLE as error:
            done.unread.append(f"{name} (cannot be read: {type(error).__name__})")
    return done


def _search_views(connection: duckdb.DuckDBPyConnection, known: Known, done: Search) -> set[Path]:
    """Look through the tables that Spark made; the files that they lie in."""
    views = [column for column in text_columns(connection, "VIEW") if not column[0].startswith('"parquet".')]
    done.columns += sum(is_of_people for *_, is_of_people in views)
    done.found += places_in(connection, known, views)
    folders = connection.execute("select distinct unnest(folders) from parquet.folders").fetchall()
    files = {file for (folder,) in folders for file in Path(folder).glob("*.parquet")}
    done.files += len(files)
    done.not_searched.append(
        "temporary files of a killed run on Spark, which are packed: in Spark's temporary folders (spark.local.dir), on every worker"
    )
    return files


def _place(path: Path, wanted: SearchTerms) -> str:
    """What to call a file whose name may be an id."""
    name = display_name(path)
    return f"{_place(path.parent, wanted)} (a name in it)" if wanted.occur_in(name.encode()) else name


def _not_searched(known: Known) -> list[str]:
    said = [
        f"other forms: {NOT_DECODED}",
        "columns study_id and study_name and the schema reference, which describe studies; dbt's target folder, which has no data",
    ]
    if known.anywhere.short:
        said.append(
            "ids and names of one to three characters, or of four or five digits, in running text (they are searched for only "
            "in columns of ids, in quotes and as whole cells)"
        )
    if known.people_rows and not known.ids.names:
        said.append("the name: people.csv has none, or has the same name for others")
    elif not known.people_rows:
        said.append("the name: the person is not in people.csv")
    return said


def _is_in_bytes(database: Path, known: Known, connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> bool:
    """Whether the file has one of the texts that is no part of a value that stays, as person-1 is of person-10."""

    def is_part_of_another(text: str) -> bool:
        queries = (
            f"select exists(select 1 from {relation} where contains({column}::varchar, $text) and {column}::varchar <> $text)"  # noqa: S608
            for relation, column, _ in columns
        )
        return any(only_row(connection, query, {"text": text})[0] for query in queries)

    with database.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        texts = {text: text.encode("utf-8", "surrogatepass") for text in known.anywhere.texts}
        in_it = [text for text, form in texts.items() if len(form) >= FEWEST_BYTES and content.find(form) >= 0]
    return not all(map(is_part_of_another, in_it))
