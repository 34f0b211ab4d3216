"""A warehouse without a person: a new file of what is left, so that not a byte of theirs stays in an old block."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines.forget.known import Known
from pipelines.load.loader import begin_load
from pipelines.settings import Settings
from pipelines.state import engine_of
from pipelines.warehouse import connect, literal, only_row, raw_tables_ddl, transaction

MADE_OTHERWISE = {"deliveries", "files", "withdrawals", "format", "studies_file", "people_file"}
"""Raw tables that are not copied as they are. The next build makes those of studies.csv and people.csv anew."""

GONE, LEFT, TAKE_OUT = (
    (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8") for name in ("gone", "left", "take_out")
)

Deliver = Callable[[duckdb.DuckDBPyConnection, str, str], None]
"""Makes `raw.deliveries` of what a query leaves of `deliveries_before`, once another has made the table `gone` of it."""


def take_out(copy: Settings, known: Known, deliver: Deliver | None = None) -> None:
    """Put a new file, with the raw tables alone and nothing of the person in them, in the place of a working copy.

    It counts as a load, so that nobody takes what is made of it for what was there before. `deliver`: where deliveries
    lie elsewhere.
    """
    before = copy.database.with_name("before")
    copy.database.rename(before)
    with connect(copy.database) as connection:
        connection.execute(raw_tables_ddl())  # of a warehouse alone: it looks at all that is attached
        connection.execute(f"attach {literal(str(before))} as before (read_only)")
        with transaction(connection):
            _copy(connection, known, deliver or _deliver)
        connection.execute("detach before")
        connection.execute("checkpoint")
    before.unlink()


def _deliver(connection: duckdb.DuckDBPyConnection, gone: str, left: str) -> None:
    connection.execute("create temp view deliveries_before as from before.raw.deliveries")
    connection.execute(gone)
    connection.execute(f"insert into raw.deliveries by name {left}")
    connection.execute("drop view deliveries_before")


def _copy(connection: duckdb.DuckDBPyConnection, known: Known, deliver: Deliver) -> None:
    known.register_macros(connection)
    tables = (
        "select table_name from information_schema.tables "
        "where table_schema = 'raw' and table_catalog = 'before' and table_type = 'BASE TABLE'"
    )
    for (table,) in connection.execute(tables).fetchall():
        if table not in MADE_OTHERWISE:
            connection.execute(f"insert into raw.{table} by name select * from before.raw.{table}")  # noqa: S608
    load_id = begin_load(connection)
    deliver(connection, GONE, LEFT)
    connection.execute(TAKE_OUT, {"load_id": load_id})
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
    connection.execute("drop table gone")


def rows_by_table(database: Path) -> dict[str, int]:
    """How many rows each table has; those that Spark made are views."""
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
