"""Warehouses that earlier versions made. What was loaded is kept; everything else is made anew of it by the next build."""

from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError
from pipelines.warehouse import has_table, only_row, raw_tables_ddl, transaction, warehouse_format

MIGRATIONS: dict[int, str] = {
    # That a file's last line was taken without its newline was known, but not how long it was: read it again.
    1: """
        alter table raw.files rename column has_open_line to open_line_bytes;
        update raw.files set fingerprint = '' where open_line_bytes;
        alter table raw.files alter column open_line_bytes set data type bigint using 0;
    """,
    # Only raw.forgotten and raw.forgotten_lines are new. A version that does not know them would bring people back.
    2: "select 1",
    # Fingerprints of larger contents were made of samples: read those files again. A file was changed later than never.
    # Tables of models that are gone would keep their room, and the ids in them.
    3: """
        alter table raw.files add column changed_ns bigint default 0;
        update raw.files set fingerprint = '' where next_offset + open_line_bytes > 1048576;
        drop schema if exists delta cascade;
        drop schema if exists intermediate cascade;
    """,
    # Objects are known by their ETag. There were none.
    4: "alter table raw.files add column etag varchar default ''",
    # A line was one delivery. Those that were rejected are judged again by the next load: they may be batches.
    5: """
        alter table raw.loads add column shapes varchar;
        alter table raw.forgotten_lines add column if not exists position integer default 0;
        alter table raw.forgotten_lines alter column position set not null;
    """,
}
"""What makes a warehouse of one format one of the next."""
BEFORE_BATCHES = 5
ADD_BATCHES = """
alter table raw.deliveries add column position integer default 0;
alter table raw.deliveries alter column position set not null;
alter table raw.deliveries add column shape varchar;
"""

OTHER_TABLES = (Path(__file__).parent / "other_tables.sql").read_text(encoding="utf-8")


def migrate(connection: duckdb.DuckDBPyConnection, named: Path) -> None:
    """Make the raw tables, or bring those of an earlier version to the format of this one.

    Raises:
        StudyflowError: a later version made them, or not studyflow; `named` is what the message calls the warehouse.
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
    """Give deliveries a position in a batch, and a shape. Where they lie in Parquet files, these are written anew."""
    if has_table(connection, "parquet", "parts"):
        from pipelines.spark.loading import add_batches  # noqa: PLC0415 - only warehouses of Spark need it

        add_batches(connection)
    else:
        connection.execute(ADD_BATCHES)


def _refuse_other_tables(connection: duckdb.DuckDBPyConnection, named: Path) -> None:
    """A database may hold other tables, but a build must not replace them because they are called like ours."""
    theirs = connection.execute(OTHER_TABLES).fetchall()
    if theirs:
        msg = (
            f"{named}: studyflow did not make {', '.join(name for (name,) in theirs)}, but keeps its own tables "
            "in schemas of these names. Choose another --database."
        )
        raise StudyflowError(msg)
