"""Search the new warehouse and everything else that studyflow writes for a person, to prove that nothing is left."""

import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines.forget.file_contents import UNREADABLE, Column, is_in_file, places_in, text_columns
from pipelines.forget.known_person import KnownPerson
from pipelines.forget.leftovers import duckdb_process
from pipelines.load.encodings import ENCODINGS, NOT_DECODED
from pipelines.load.search_terms import SearchTerms
from pipelines.load.sources import display_name
from pipelines.state import engine_of
from pipelines.warehouse import connect, only_row

FEWEST_BYTES = 6
"""Shorter texts occur in the bytes of a database by chance."""


@dataclass(slots=True)
class Search:
    """How much was searched, every place that mentions the person, unreadable files, and what was not searched."""

    columns: int = 0
    files: int = 0
    found: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    not_searched: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The result for the JSON output."""
        return {
            "columns_searched": self.columns,
            "files_searched": self.files,
            "forms_searched": ["as it is", *(form.name for form in ENCODINGS)],
            "found": self.found,
            "could_not_be_read": self.unread,
            "not_searched": self.not_searched,
        }


def search(database: Path, places: Iterable[Path], known: KnownPerson) -> Search:
    """Search each text column and the bytes of the warehouse, and all files in the places, for ids and names."""
    done = Search(files=1, not_searched=_not_searched(known))
    with connect(database, read_only=True) as connection:
        columns = text_columns(connection)
        done.columns = sum(is_of_people for *_, is_of_people in columns)
        done.found += places_in(connection, known, columns)
        if _is_in_bytes(database, known, connection, columns):
            done.found.append(display_name(database))
        behind_views = _search_views(connection, known, done) if engine_of(connection) == "spark" else set()
    for path in sorted({file for place in places for file in (place, *place.rglob("*"))}):
        name = _safe_name(path, known.all_terms)
        try:
            if path.is_dir():
                os.scandir(path).close()  # fails if it cannot be listed
            if path in behind_views or not path.is_file():
                continue
            done.files += 1
            if process := duckdb_process(path):
                done.unread.append(f"{name} (compressed by process {process}; delete it once that process has ended)")
            elif is_in_file(path, known):
                done.found.append(name)
        except FileNotFoundError:  # another process has deleted it
            continue
        except UNREADABLE as error:
            done.unread.append(f"{name} (cannot be read: {type(error).__name__})")
    return done


def _search_views(connection: duckdb.DuckDBPyConnection, known: KnownPerson, done: Search) -> set[Path]:
    """Search the tables that Spark made; return their Parquet files, which need not be searched again."""
    views = [column for column in text_columns(connection, "VIEW") if not column[0].startswith('"parquet".')]
    done.columns += sum(is_of_people for *_, is_of_people in views)
    done.found += places_in(connection, known, views)
    folders = connection.execute("select distinct unnest(folders) from parquet.folders").fetchall()
    files = {file for (folder,) in folders for file in Path(folder).glob("*.parquet")}
    done.files += len(files)
    done.not_searched.append(
        "compressed temporary files of killed Spark runs: in Spark's temporary folders (spark.local.dir), on every worker"
    )
    return files


def _safe_name(path: Path, terms: SearchTerms) -> str:
    """The path, cut before the first part that contains one of the terms: messages must not show ids."""
    name = display_name(path)
    return (
        f"{_safe_name(path.parent, terms)} (a file or folder in it mentions them in its name)"
        if terms.occur_in(name.encode())
        else name
    )


def _not_searched(known: KnownPerson) -> list[str]:
    items = [
        f"other encodings: {NOT_DECODED}",
        "columns study_id and study_name and the schema reference, which describe studies; dbt's target folder, which has no data",
    ]
    if known.all_terms.short:
        items.append(
            "ids and names of one to three characters, or of four or five digits, in running text (they are searched for only "
            "in columns of ids, in quotes and as whole cells)"
        )
    if known.people_rows and not known.ids.names:
        items.append("the name: people.csv has none, or has the same name for others")
    elif not known.people_rows:
        items.append("the name: the person is not in people.csv")
    return items


def _is_in_bytes(
    database: Path, known: KnownPerson, connection: duckdb.DuckDBPyConnection, columns: list[Column]
) -> bool:
    """Whether the file's bytes have one of the texts, but not only within remaining values (person-1 in person-10)."""

    def is_part_of_another(text: str) -> bool:
        queries = (
            f"select exists(select 1 from {relation} where contains({column}::varchar, $text) and {column}::varchar <> $text)"  # noqa: S608
            for relation, column, _ in columns
        )
        return any(only_row(connection, query, {"text": text})[0] for query in queries)

    with database.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        texts = {text: text.encode("utf-8", "surrogatepass") for text in known.all_terms.texts}
        found = [text for text, encoded in texts.items() if len(encoded) >= FEWEST_BYTES and content.find(encoded) >= 0]
    return not all(map(is_part_of_another, found))
