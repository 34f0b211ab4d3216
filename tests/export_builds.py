"""Warehouses that tell of their builds, as dbt leaves word of them, for exports that follow each other."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from export_warehouse import MONDAY, contents, fill

from pipelines.export.replace import MANIFEST

_INSTANTS = count()


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that tell of builds and loads; there have been none yet."""
    connection.execute("""
        create schema state; create schema raw;
        create table state.last_build (
            build_id integer, previous_build_id integer, as_of timestamptz, load_id integer, fingerprint varchar
        );
        create table raw.loads (load_id integer, loaded_at timestamptz);
    """)


def load(connection: duckdb.DuckDBPyConnection) -> None:
    """Something arrived, at an instant that no other load has."""
    at = MONDAY + timedelta(seconds=next(_INSTANTS))
    connection.execute("insert into raw.loads select coalesce(max(load_id), 0) + 1, ? from raw.loads", [at])


def build(connection: duckdb.DuckDBPyConnection, people: Iterable[dict[str, Any]]) -> None:
    """Build the marts with these people, as of a minute later than the last time."""
    fill(connection, people)
    connection.execute("""
        create or replace temp table made as
        select
            coalesce(max(build_id), 0) + 1 as build_id,
            cast(null as integer) as previous_build_id,
            coalesce(max(as_of), timestamptz '2026-08-01') + interval 1 minute as as_of,
            (select coalesce(max(load_id), 0) from raw.loads) as load_id,
            'the same' as fingerprint
        from state.last_build;
        delete from state.last_build;
        insert into state.last_build from made;
    """)


def tables_in(folder: Path) -> dict[str, bytes]:
    """What people see in an export: all but its manifest, which has times. No workspace may be left beside it."""
    assert list(folder.parent.glob(".*studyflow*")) == []
    found = contents(folder)
    del found[MANIFEST]
    return {name: found[name] for name in sorted(found)}
