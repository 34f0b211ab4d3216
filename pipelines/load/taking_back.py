"""Lines that a load takes back: of a file that was rewritten, of a line that was not whole, of a file that broke off."""

from dataclasses import replace

import duckdb

from pipelines.load.ledger import Entry
from pipelines.warehouse import only_row

# Lines that stand in an old content of a file and are read from it again are the same deliveries: the old ones go.
FORGET_REPEATED = """
delete from raw.deliveries
where file_id = $old and line_number in (
    with contents as (
        select
            file_id,
            line_number,
            hash(
                reason, event_type, participant_id, person_id, study_id, status, prior_status, updated_at,
                svix_id, received_at, line, line_bytes
            ) as content
        from raw.deliveries
        where file_id = $old or (file_id = $new and load_id = $load_id)
    ),

    counted as (
        select
            file_id,
            line_number,
            content,
            row_number() over (partition by file_id, content order by line_number) as repetition
        from contents
    )

    select before.line_number
    from counted as before
    inner join counted as since
        on before.content = since.content and before.repetition = since.repetition
    where before.file_id = $old and since.file_id = $new
)
"""


def withdraw_open_line(connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int) -> None:
    """Take back a line that was taken without its newline: it has been read again, and may have become another."""
    which = f"load_id < $load_id and line_number = {entry.next_line}"
    take_back(connection, entry.file_id, which, load_id)


def take_back(connection: duckdb.DuckDBPyConnection, file_id: int, which: str, load_id: int) -> None:
    """Remove rows of a file, and note whose they were."""
    rows = f"from raw.deliveries where file_id = $file_id and {which}"
    values = {"file_id": file_id, "load_id": load_id}
    connection.execute(
        f"insert into raw.withdrawals select distinct $load_id, participant_id {rows} and participant_id is not null",
        values,
    )
    connection.execute(f"delete {rows}", values)
    connection.execute(f"delete from raw.forgotten_lines where file_id = $file_id and {which}", values)  # noqa: S608


def supersede(connection: duckdb.DuckDBPyConnection, old: Entry, new_file_id: int, load_id: int) -> Entry:
    """End a content that a file had before it was rewritten; what has not come again since stays loaded."""
    connection.execute(FORGET_REPEATED, {"old": old.file_id, "new": new_file_id, "load_id": load_id})
    connection.execute("delete from raw.forgotten_lines where file_id = ?", [old.file_id])
    left = only_row(connection, "select count(*) from raw.deliveries where file_id = ?", [old.file_id])[0]
    return replace(old, is_superseded=True, lines=left, blank_lines=0, pending_bytes=0, last_load_id=load_id)
