"""Make a warehouse without a person. It is a new file, because deleted rows would stay in the blocks of the old one."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines.forget.known_person import KnownPerson
from pipelines.load.loader import begin_load
from pipelines.settings import Settings
from pipelines.state import engine_of
from pipelines.warehouse import connect, literal, only_row, raw_tables_ddl, transaction

NOT_COPIED = {"deliveries", "files", "withdrawals", "format", "studies_file", "people_file"}
"""Raw tables that are not copied unchanged. The next build makes those of studies.csv and people.csv again."""

REMOVED_DELIVERIES, KEPT_DELIVERIES, COPY_LEDGER = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("removed_deliveries", "kept_deliveries", "copy_ledger")
)

CopyDeliveries = Callable[[duckdb.DuckDBPyConnection, str, str], None]
"""Fills `raw.deliveries`. Arguments: the connection, a query that makes the table `removed_deliveries` from
`deliveries_before`, and a query for the other deliveries."""


def remove_person(copy: Settings, known: KnownPerson, copy_deliveries: CopyDeliveries | None = None) -> None:
    """Replace a working copy by a new file that has only the raw tables, without the person.

    This counts as a load, so that builds of the new warehouse differ from those of the old one. `copy_deliveries`:
    replaces `_copy_deliveries` if deliveries are in Parquet files.
    """
    before = copy.database.with_name("before")
    copy.database.rename(before)
    with connect(copy.database) as connection:
        connection.execute(raw_tables_ddl())  # before `attach`: it looks at the tables of all attached databases
        connection.execute(f"attach {literal(str(before))} as before (read_only)")
        with transaction(connection):
            _copy_without_person(connection, known, copy_deliveries or _copy_deliveries)
        connection.execute("detach before")
        connection.execute("checkpoint")
    before.unlink()


def _copy_deliveries(connection: duckdb.DuckDBPyConnection, removed: str, kept: str) -> None:
    connection.execute("create temp view deliveries_before as from before.raw.deliveries")
    connection.execute(removed)
    connection.execute(f"insert into raw.deliveries by name {kept}")
    connection.execute("drop view deliveries_before")


def _copy_without_person(
    connection: duckdb.DuckDBPyConnection, known: KnownPerson, copy_deliveries: CopyDeliveries
) -> None:
    known.register_macros(connection)
    tables = (
        "select table_name from information_schema.tables "
        "where table_schema = 'raw' and table_catalog = 'before' and table_type = 'BASE TABLE'"
    )
    for (table,) in connection.execute(tables).fetchall():
        if table not in NOT_COPIED:
            connection.execute(f"insert into raw.{table} by name select * from before.raw.{table}")  # noqa: S608
    load_id = begin_load(connection)
    copy_deliveries(connection, REMOVED_DELIVERIES, KEPT_DELIVERIES)
    connection.execute(COPY_LEDGER, {"load_id": load_id})
    person_hash = known.person_hash
    for kind, hashes in (("person", known.hashes.people), ("participant", known.hashes.participants)):
        connection.execute(
            """
            insert into raw.forgotten
            select $salt, $person, $kind, id_hash, now() from (select unnest($hashes::varchar[]) as id_hash)
            where id_hash not in (select id_hash from raw.forgotten where kind = $kind and person_hash = $person)
            """,
            {"salt": known.hashes.salt, "person": person_hash, "kind": kind, "hashes": list(hashes)},
        )
    connection.execute("drop table removed_deliveries")


def rows_by_table(database: Path) -> dict[str, int]:
    """The number of rows of each table. Tables that Spark made are views."""
    query = (
        "select table_schema, table_name from information_schema.tables "
        "where table_type in ('BASE TABLE', $kind) and table_schema <> 'parquet' order by all"
    )
    with connect(database, read_only=True) as connection:
        kind = "VIEW" if engine_of(connection) == "spark" else "BASE TABLE"
        return {
            f"{schema}.{table}": only_row(connection, f'select count(*) from "{schema}"."{table}"')[0]  # noqa: S608
            for schema, table in connection.execute(query, {"kind": kind}).fetchall()
        }
