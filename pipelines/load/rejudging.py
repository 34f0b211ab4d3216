"""Judge rejected lines again when delivery_shapes.csv has changed: a row added there may make them readable."""

from collections.abc import Callable, Sequence
from hashlib import md5

import duckdb

from pipelines.load.ledger import count_lines
from pipelines.load.lines import SCHEMA
from pipelines.load.parsing import INSERT, WITHHELD, Judging, kept_rows
from pipelines.load.shapes import Shape
from pipelines.load.withdrawals import remove
from pipelines.warehouse import only_row

LINES_AT_ONCE = 20_000

# Deliveries from batches (position > 0) are not judged again.
REJECTED = "position = 0 and reason is not null and coalesce(line_bytes, encode(line)) is not null"
LINES = f"select file_id, line_number, coalesce(line_bytes, encode(line)) as raw from raw.deliveries where {REJECTED}"  # noqa: S608

# Lines with a new judgement. A line that is still rejected for the same reason keeps its row.
CHANGED_JUDGEMENTS = """
create temp table changed_judgements as
select file_id, line_number
from lines_to_rejudge
anti join (
    select judged.file_id, judged.line_number
    from rejudged_lines as judged
    inner join raw.deliveries using (file_id, line_number, position, reason)
    where position = 0 and not judged.is_withheld
) as unchanged using (file_id, line_number)
"""
HAS_CHANGED = "(file_id, line_number) in (select (file_id, line_number) from changed_judgements)"

InsertRejudged = Callable[[duckdb.DuckDBPyConnection, int], None]
"""Inserts the table `rejudged_lines` into `raw.deliveries`, as part of the load with this number."""


def hash_of_shapes(shapes: Sequence[Shape]) -> str:
    """A hash of the table of shapes, to notice that it has changed."""
    return md5(repr(shapes).encode(), usedforsecurity=False).hexdigest()


def is_due(connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape]) -> bool:
    """Whether there are rejected lines, and the table of shapes has changed since the last load."""
    known = connection.execute("select shapes from raw.loads order by load_id desc limit 1").fetchall()
    if not known or known == [(hash_of_shapes(shapes),)]:
        return False
    return bool(connection.execute(f"select 1 from raw.deliveries where {REJECTED} limit 1").fetchall())  # noqa: S608


def rejudge(judges: Judging, load_id: int, statuses: list[str], insert: InsertRejudged) -> None:
    """Judge rejected lines with the present table of shapes, and replace the rows of those with a new judgement."""
    connection = judges.connection
    lines = connection.sql(LINES).to_arrow_table()
    target = "create temp table rejudged_lines as"
    for rows in kept_rows(judges, lines.cast(SCHEMA).to_batches(LINES_AT_ONCE), statuses):
        connection.execute(f"{target} from {rows}")
        target = "insert into rejudged_lines"
    connection.register("lines_to_rejudge", lines.select(["file_id", "line_number"]))
    connection.execute(CHANGED_JUDGEMENTS)
    connection.execute(f"delete from rejudged_lines where not ({HAS_CHANGED})")  # noqa: S608
    [file_ids] = only_row(connection, "select list(distinct file_id) from changed_judgements")
    if file_ids:
        remove(connection, f"position = 0 and load_id < $load_id and {HAS_CHANGED}", {"load_id": load_id})
        connection.execute(WITHHELD.format(lines="rejudged_lines"), {"load_id": load_id})
        connection.execute("delete from rejudged_lines where is_withheld")
        insert(connection, load_id)
        count_lines(connection, file_ids)
    connection.unregister("lines_to_rejudge")
    connection.execute("drop table rejudged_lines; drop table changed_judgements")


def insert_rejudged(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Insert `rejudged_lines` into `raw.deliveries`."""
    connection.execute(INSERT.format(lines="rejudged_lines"), {"load_id": load_id})
