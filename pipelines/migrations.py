"""Convert warehouses of earlier versions. Loaded data are kept; the next build makes everything else from them."""

from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.warehouse import has_table, only_row, raw_tables_ddl, transaction, warehouse_format

MIGRATIONS: dict[int, str] = {
    # Format 1 recorded that a file's last line was loaded without its newline, but not its length: read these files
    # again.
    1: """
        alter table raw.files rename column has_open_line to open_line_bytes;
        update raw.files set fingerprint = '' where open_line_bytes;
        alter table raw.files alter column open_line_bytes set data type bigint using 0;
    """,
    # Only raw.forgotten and raw.forgotten_lines are new. The number changes because a version that does not know them
    # would load forgotten people again.
    2: "select 1",
    # Fingerprints of contents over 1 MiB covered only samples: read those files again. All other files are compared
    # once, because no file was changed at time 0. Tables of deleted models would keep disk space, and ids of people.
    3: """
        alter table raw.files add column changed_ns bigint default 0;
        update raw.files set fingerprint = '' where next_offset + open_line_bytes > 1048576;
        drop schema if exists delta cascade;
        drop schema if exists intermediate cascade;
    """,
    # Objects are recognised by ETag. Format 4 had no objects.
    4: "alter table raw.files add column etag varchar default ''",
    # Each line was one delivery. The next load judges rejected lines again, because they may be batches.
    5: """
        alter table raw.loads add column shapes varchar;
        alter table raw.forgotten_lines add column if not exists position integer default 0;
        alter table raw.forgotten_lines alter column position set not null;
    """,
}
"""For each format, the SQL that converts a warehouse to the next one."""
BEFORE_BATCHES = 5
ADD_BATCHES = """
alter table raw.deliveries add column position integer default 0;
alter table raw.deliveries alter column position set not null;
alter table raw.deliveries add column shape varchar;
"""

OTHER_TABLES = (Path(__file__).parent / "other_tables.sql").read_text(encoding="utf-8")


def migrate(connection: duckdb.DuckDBPyConnection, named: Path) -> None:
    """Create the raw tables, or convert those of an earlier version. `named`: the warehouse's path for messages.

    Raises:
        StudyflowError: a later version of studyflow, or another program, made the tables.
    """
    with transaction(connection):
        _refuse_other_tables(connection, named)
        connection.execute(raw_tables_ddl())
        [found] = only_row(connection, "select format from raw.format")
        if found > warehouse_format():
            msg = (
                f"{named}: a later version of studyflow made this warehouse (format {found}; this version knows "
                f"{warehouse_format()}). Install that version, or name another --database."
            )
            raise StudyflowError(msg)
        for older in range(found, warehouse_format()):
            connection.execute(MIGRATIONS[older])
            if older == BEFORE_BATCHES:
                _add_batches(connection)
            connection.execute("update raw.format set format = ?", [older + 1])


def _add_batches(connection: duckdb.DuckDBPyConnection) -> None:
    """Give all deliveries a position in a batch and a shape. If they are in Parquet files, rewrite these."""
    if has_table(connection, "parquet", "parts"):
        from pipelines.spark.loading import add_batches  # noqa: PLC0415 - only warehouses of Spark need it

        add_batches(connection)
    else:
        connection.execute(ADD_BATCHES)


def _refuse_other_tables(connection: duckdb.DuckDBPyConnection, named: Path) -> None:
    """Refuse tables of other programs in studyflow's schemas: a build could replace them. Other schemas are allowed."""
    other_tables = connection.execute(OTHER_TABLES).fetchall()
    if other_tables:
        msg = (
            f"{named}: studyflow did not make {', '.join(name for (name,) in other_tables)}, but keeps its own tables "
            "in schemas of these names. Choose another --database."
        )
        raise StudyflowError(msg)
