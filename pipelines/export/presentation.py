"""Prepare tables for people: with names of studies, with pseudonyms if requested, in a fixed order."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from pipelines.export.cells import Column
from pipelines.export.pseudonyms import IDS, PSEUDONYM_OF, Pseudonyms
from pipelines.warehouse import has_table

STUDY_ID, STUDY_NAME = "study_id", "study_name"
# Columns that are left empty if there are pseudonyms.
NAMES = ("person_name",)


@dataclass(frozen=True, slots=True)
class Relation:
    """SQL of rows as people see them (a subquery), its columns, and the SQL that sorts them."""

    sql: str
    columns: list[Column]
    order: str


def presented(
    connection: duckdb.DuckDBPyConnection, table: str, pseudonyms: Pseudonyms | None, first: Sequence[str] = ()
) -> Relation:
    """A mart with the name of the study after its id. The columns `first` come first.

    With pseudonyms, ids are replaced, and names of people are null. The SQL then needs `pseudonyms.registered`.
    """
    found = connection.execute(f"describe marts.{table}").fetchall()
    columns = [Column(str(name), str(kind)) for name, kind, *_ in found]
    names = [column.name for column in columns]
    rows = f"marts.{table}"
    if STUDY_ID in names and STUDY_NAME not in names and has_table(connection, "marts", "study_progress"):
        columns.insert(names.index(STUDY_ID) + 1, Column(STUDY_NAME, "VARCHAR"))
        rows = (
            f"(select named.*, studies.{STUDY_NAME} from marts.{table} as named "  # noqa: S608
            f"left join marts.study_progress as studies on named.{STUDY_ID} = studies.{STUDY_ID})"
        )
    rank = {name: position for position, name in enumerate(first)}
    columns.sort(key=lambda column: rank.get(column.name, len(rank)))
    shown = ", ".join(f"{_value(column, pseudonyms)} as {column.identifier}" for column in columns)
    return Relation(f"(select {shown} from {rows})", columns, _order_by(columns))  # noqa: S608


def _value(column: Column, pseudonyms: Pseudonyms | None) -> str:
    if pseudonyms and column.name in IDS:
        return f"{PSEUDONYM_OF}('{IDS[column.name]}', {column.identifier})"
    if pseudonyms and column.name in NAMES:
        return "cast(null as varchar)"
    return column.identifier


def _order_by(columns: list[Column]) -> str:
    """SQL that sorts by all columns from left to right; a column `x` that has a column `x_order` is sorted by that."""
    places = {column.name: column.identifier for column in columns}
    ordered = [places.get(f"{column.name}_order", column.identifier) for column in columns]
    return ", ".join(dict.fromkeys([*ordered, *places.values()]))
