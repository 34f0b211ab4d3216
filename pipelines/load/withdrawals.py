"""Withdraw loaded lines: those that were read again, partial last lines that changed, and lines of a file that failed.

The number of times that a line counts is the largest number of its copies that were in the files at any one time. If a
new line equals a line of a content that no file has any more, it therefore replaces that line. For batches, this
applies to each delivery, which may come again in another batch.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.load.ledger import Entry, count_lines
from pipelines.warehouse import has_table

REPLACED_LINES = (Path(__file__).parent / "replaced_lines.sql").read_text(encoding="utf-8")
IS_REPLACED = """
load_id < $load_id and (file_id, line_number, position) in (select (file_id, line_number, position) from replaced_lines)
"""


def withdraw_replaced(
    connection: duckdb.DuckDBPyConnection, missing: Iterable[Entry], reread: Iterable[Entry], load_id: int
) -> None:
    """Withdraw the old copies of lines that were read again.

    These are lines of superseded contents or missing files, and lines loaded before they had a newline (`reread` entries).
    """
    file_ids = [entry.file_id for entry in missing]
    open_lines = [(entry.file_id, entry.next_line) for entry in reread if entry.open_line_bytes]
    has_superseded = connection.execute("select 1 from raw.files where is_superseded and lines > 0 limit 1").fetchall()
    if not (file_ids or open_lines or has_superseded):
        return
    connection.register("missing_files", pa.table({"file_id": pa.array(file_ids, pa.int32())}))
    numbers = {name: [line[place] for line in open_lines] for place, name in enumerate(("file_id", "line_number"))}
    connection.register("open_lines", pa.table(numbers, pa.schema({"file_id": pa.int32(), "line_number": pa.int64()})))
    connection.execute(REPLACED_LINES, {"load_id": load_id})
    remove(connection, IS_REPLACED, {"load_id": load_id})
    for file_id, line_number in open_lines:  # those still there have become other lines
        withdraw(connection, file_id, f"load_id < $load_id and line_number = {line_number}", load_id)
    matched = connection.execute("select distinct file_id from replaced_lines where not is_open").fetchall()
    supersede(connection, [file_id for (file_id,) in matched])
    for name in ("missing_files", "open_lines"):
        connection.unregister(name)


def withdraw(connection: duckdb.DuckDBPyConnection, file_id: int, which: str, load_id: int) -> None:
    """Remove rows of a file, and record their participants in `raw.withdrawals`, so that the build updates them."""
    rows = f"file_id = $file_id and {which}"
    values = {"file_id": file_id, "load_id": load_id}
    connection.execute(
        "insert into raw.withdrawals select distinct $load_id, coalesce(participant_id, '') from raw.deliveries "  # noqa: S608
        f"where {rows}",
        values,
    )
    remove(connection, rows, values)
    connection.execute(f"delete from raw.forgotten_lines where {rows}", values)  # noqa: S608


def remove(connection: duckdb.DuckDBPyConnection, which: str, values: dict[str, int]) -> None:
    """Remove rows of raw.deliveries. If it is a view over Parquet files, list them in `parquet.taken_back` instead."""
    if has_table(connection, "parquet", "taken_back"):
        insert = "insert into parquet.taken_back by name select file_id, line_number, position, load_id"
        connection.execute(f"{insert} from raw.deliveries where {which}", values)
    else:
        connection.execute(f"delete from raw.deliveries where {which}", values)  # noqa: S608


def supersede(connection: duckdb.DuckDBPyConnection, file_ids: Iterable[int]) -> None:
    """Mark contents as no longer in any file. From now on, only their loaded lines count."""
    ids = list(file_ids)
    for query in (
        "update raw.files set is_superseded = true, pending_bytes = 0 where file_id in (select unnest($1))",
        "delete from raw.forgotten_lines where file_id in (select unnest($1))",
    ):
        connection.execute(query, [ids])
    count_lines(connection, ids)
