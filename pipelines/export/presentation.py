"""Prepare tables for people: with names of studies, with pseudonyms if requested, in a fixed order."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import duckdb

from pipelines.export.cells import Column
from pipelines.export.pseudonyms import IDS, Pseudonyms
from pipelines.warehouse import has_table

STUDY_ID, STUDY_NAME = "study_id", "study_name"
# Columns that are left empty if there are pseudonyms.
NAMES = ("person_name",)


def mart_columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[Column]:
    """The columns of a mart, with the name of the study after its id."""
    found = connection.execute(f"describe marts.{table}").fetchall()
    columns = [Column(str(name), str(kind)) for name, kind, *_ in found]
    places = {column.name: place for place, column in enumerate(columns)}
    if _is_to_be_named(connection, places):
        columns.insert(places[STUDY_ID] + 1, Column(STUDY_NAME, "VARCHAR"))
    return columns


def with_study_names(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """SQL of the rows of a mart, with the name of the study added if the mart only has its id."""
    names = [name for name, *_ in connection.execute(f"describe marts.{table}").fetchall()]
    if not _is_to_be_named(connection, names):
        return f"marts.{table}"
    return (
        f"(select named.*, studies.{STUDY_NAME} from marts.{table} as named "  # noqa: S608
        f"left join marts.study_progress as studies on named.{STUDY_ID} = studies.{STUDY_ID})"
    )


def _is_to_be_named(connection: duckdb.DuckDBPyConnection, columns: object) -> bool:
    return (
        STUDY_ID in columns  # type: ignore[operator]
        and STUDY_NAME not in columns  # type: ignore[operator]
        and has_table(connection, "marts", "study_progress")
    )


@contextmanager
def select_for_people(
    connection: duckdb.DuckDBPyConnection, rows: str, columns: list[Column], pseudonyms: Pseudonyms | None
) -> Iterator[str]:
    """SQL of these columns of the rows. With pseudonyms, ids are replaced, and names of people are null."""
    ids = [column.name for column in columns if column.name in IDS]
    hidden = NAMES if pseudonyms else ()
    listed = ", ".join(
        f"{'cast(null as varchar)' if column.name in hidden else column.identifier} as {column.identifier}"
        for column in columns
    )
    with pseudonyms.replacing_ids(connection, rows, ids) if pseudonyms and ids else nullcontext(rows) as named:
        yield f"(select {listed} from {named})"  # noqa: S608


def order_by(columns: list[Column]) -> str:
    """SQL that sorts by all columns from left to right; a column `x` that has a column `x_order` is sorted by that."""
    places = {column.name: column.identifier for column in columns}
    ordered = [places.get(f"{column.name}_order", column.identifier) for column in columns]
    return ", ".join(dict.fromkeys([*ordered, *places.values()]))
