"""Warehouses that tell of their builds, as dbt leaves word of them, for exports that build on each other."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from export_warehouse import MONDAY, contents, fill

from pipelines.export.parts import PARTS

_MOMENTS = count()


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that tell of builds and loads; there have been none yet."""
    columns = (
        "build_id integer, previous_build_id integer, as_of timestamptz, previous_as_of timestamptz, "
        "load_id integer, previous_load_id integer, fingerprint varchar"
    )
    connection.execute(f"""
        create schema state; create schema raw; create schema intermediate;
        create table state.this_build ({columns});
        create table state.last_build ({columns});
        create table raw.loads (load_id integer, loaded_at timestamptz);
        create table intermediate.int_touched_studies (study_id varchar);
    """)


def load(connection: duckdb.DuckDBPyConnection) -> None:
    """Something arrived, at a moment that no other load has."""
    moment = MONDAY + timedelta(seconds=next(_MOMENTS))
    connection.execute("insert into raw.loads select coalesce(max(load_id), 0) + 1, ? from raw.loads", [moment])


def build(
    connection: duckdb.DuckDBPyConnection, people: Iterable[dict[str, Any]], touched: Iterable[str] | None = None
) -> None:
    """Build the marts with these people, a minute later than the last time; `touched`: on top of the last build."""
    fill(connection, people)
    is_on_top = touched is not None
    connection.execute(
        """
        create or replace temp table made as
        select
            coalesce(max(build_id), 0) + 1 as build_id,
            if($1, max(build_id), null) as previous_build_id,
            coalesce(max(as_of), timestamptz '2026-08-01') + interval 1 minute as as_of,
            if($1, max(as_of), null) as previous_as_of,
            (select coalesce(max(load_id), 0) from raw.loads) as load_id,
            if($1, max(load_id), null) as previous_load_id,
            'the same' as fingerprint
        from state.this_build
        """,
        [is_on_top],
    )
    for table in ("this_build", "last_build"):
        connection.execute(f"delete from state.{table}; insert into state.{table} from made")
    connection.execute("delete from intermediate.int_touched_studies")
    for study in touched or ():
        connection.execute("insert into intermediate.int_touched_studies values (?)", [study])


def tables_in(folder: Path) -> dict[str, bytes]:
    """What people see in an export: all but what it remembers, which has times. No workspace may be left beside it."""
    assert list(folder.parent.glob(".*studyflow*")) == []
    found = contents(folder)
    found.pop(PARTS, None)
    return {name: found[name] for name in sorted(found)}
