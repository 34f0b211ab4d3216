"""Describe what the files contain if a load found no webhook in them."""

from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.load.content import open_content, read_up_to, skip
from pipelines.load.finding import FoundFiles, named
from pipelines.load.objects import look_at_object
from pipelines.load.sources import look_at
from pipelines.object_paths import object_path
from pipelines.plain import several
from pipelines.reference import known_statuses
from pipelines.warehouse import only_row

SHAPES = (Path(__file__).parent / "not_webhooks.sql").read_text(encoding="utf-8")

OF_LAST_LOAD = "load_id = (select max(load_id) from raw.loads)"
IS_USABLE = """
reason is null
and (participant_id is null or status in (select unnest($statuses)))
and (prior_status is null or prior_status in (select unnest($statuses)))
"""
SHAPES_OF_LINES = f"""
select
    case
        when reason is null then 'webhooks with statuses that are not in participant_statuses.csv'
        else shape_of(left(coalesce(line, line_bytes::varchar), 2000))
    end as look,
    count(*)
from raw.deliveries
where ($is_all or {OF_LAST_LOAD}) and not ({IS_USABLE})
group by look
order by count(*) desc, look
limit 3
"""  # noqa: S608
UNFINISHED = (
    "select source_file, next_offset, pending_bytes from raw.files where pending_bytes > 0 order by all limit 3"
)
BEGINNING = 2_000
SHAPES_HELP = (
    "A line has one webhook, or several in one of the shapes of data/reference/delivery_shapes.csv. "
    "If your webhooks have another shape, add a row for it."
)


def why_nothing_is_usable(connection: duckdb.DuckDBPyConnection, found: FoundFiles, lines_read: int) -> str | None:
    """A description of what this load, or all loads so far, found instead of webhooks; None if there is a webhook."""

    def has(where: str) -> bool:
        query = f"select 1 from raw.deliveries where $statuses is not null and {where} limit 1"  # noqa: S608
        return bool(connection.execute(query, {"statuses": statuses}).fetchall())

    statuses = known_statuses()
    if lines_read and has(OF_LAST_LOAD) and not has(f"{OF_LAST_LOAD} and {IS_USABLE}"):
        return f"None of the new lines is a webhook. {_describe_lines(connection, found, statuses, is_all=False)}"
    if found.sources and not has(IS_USABLE):
        [forgotten] = only_row(connection, "select count(*) from raw.forgotten_lines")
        if not forgotten:
            return f"No webhook has been loaded yet. {_describe_lines(connection, found, statuses, is_all=True)}"
    return None


def _describe_lines(
    connection: duckdb.DuckDBPyConnection, found: FoundFiles, statuses: list[str], *, is_all: bool
) -> str:
    connection.execute(SHAPES)
    counts = connection.execute(SHAPES_OF_LINES, {"statuses": statuses, "is_all": is_all}).fetchall()
    shapes = [f"{shape}: {several(count, 'line')} like this" for shape, count in counts]
    for source_file, offset, size in connection.execute(UNFINISHED).fetchall():
        if text := _beginning(source_file, offset):
            [shape] = only_row(connection, "select shape_of($text)", {"text": text})
            shapes.append(f"{shape}: a partial last line of {size:,} bytes in {Path(source_file).name}")
    if not shapes:
        shapes = ["only empty files or blank lines"]
    if found.left_out:
        shapes.append(f"not read: {named(found.left_out)}")
    return f"Found: {'; '.join(shapes)}. {SHAPES_HELP}"


def _beginning(name: str, offset: int) -> str | None:
    try:
        address = object_path(name)
        source = look_at_object(address) if address else look_at(Path(name))
        if source is None:
            return None
        with open_content(source, offset) as content:
            skip(content, offset)
            return read_up_to(content, BEGINNING).decode("utf-8", "replace")
    except (OSError, EOFError, pa.ArrowException, SourceError):
        return None
