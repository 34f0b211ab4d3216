"""Lines into rows of `raw.deliveries`: DuckDB parses them all, and a strict parser looks again where it is too kind."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.load.strict_json import LONG, brief_form, normal_form
from pipelines.load.withhold import KEPT_LINES, forgotten

PARSE = (Path(__file__).parent / "parse.sql").read_text(encoding="utf-8")
AGAIN_AT_ONCE = 10_000
AGAIN_AT_ONCE_BYTES = 16 << 20
NO_JSON = b"not JSON"

# `reason` holds 'contested' only until the lines have been looked at again, later in the same transaction.
INSERT = """
insert into raw.deliveries by name
select
    file_id,
    line_number,
    $load_id as load_id,
    (select loaded_at from raw.loads where load_id = $load_id) as loaded_at,
    case when is_contested and $may_contest then 'contested' else reason end as reason,
    event_type,
    participant_id,
    person_id,
    study_id,
    status,
    prior_status,
    updated_at,
    svix_id,
    received_at,
    case
        when is_contested and $may_contest then null
        when
            not is_said_by_columns
            or status not in (select status from known_statuses)
            or (prior_status is not null and prior_status not in (select status from known_statuses))
            then regexp_replace(try(decode(raw)), '\\r?\\n?$', '')
    end as line,
    case
        when is_no_text or (is_contested and $may_contest) or (not $may_contest and try(decode(raw)) is null) then raw
    end as line_bytes
from {lines}
where not is_blank
"""

FIRST_LOOK = f"""
create or replace temp view lines as
select *, raw as document, octet_length(raw) > {LONG} as is_long, false as says_more
from arriving
"""  # noqa: S608

SECOND_LOOK = "create or replace temp view lines as select *, false as is_long from again"


def parse(connection: duckdb.DuckDBPyConnection, load_id: int, *, may_contest: bool) -> None:
    """Put what view `lines` has into `raw.deliveries`; `may_contest`: mark what the strict parser is to look at."""
    connection.execute(PARSE)
    lines = "parsed_lines"
    if someone := forgotten(connection):
        someone.tell(connection)
        connection.execute(KEPT_LINES)
        lines = "kept_lines"
    connection.execute(INSERT.format(lines=lines), {"load_id": load_id, "may_contest": may_contest})


def look_again(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Parse contested and long lines strictly and put them in again as what they are."""
    contested = connection.sql(
        "select file_id, line_number, octet_length(line_bytes) as size from raw.deliveries "
        "where load_id = $load_id and reason = 'contested' order by file_id, line_number",
        params={"load_id": load_id},
    ).to_arrow_table()
    for some in _portions(contested):
        connection.register("contested", some)
        its_lines = "using (file_id, line_number) where load_id = $load_id"
        raw = connection.sql(
            f"select file_id, line_number, line_bytes as raw from raw.deliveries inner join contested {its_lines}",  # noqa: S608
            params={"load_id": load_id},
        ).to_arrow_table()
        connection.execute(
            "delete from raw.deliveries using contested where deliveries.file_id = contested.file_id "
            "and deliveries.line_number = contested.line_number and deliveries.load_id = ?",
            [load_id],
        )
        connection.register("again", read_again(raw))
        connection.execute(SECOND_LOOK)
        parse(connection, load_id, may_contest=False)
        connection.unregister("again")
        connection.unregister("contested")


def _portions(contested: pa.Table) -> Iterator[pa.Table]:
    """The lines, as many at a time as are handled with ease."""
    start, held = 0, 0
    for end, size in enumerate(contested["size"].to_pylist()):
        if end > start and (held + size > AGAIN_AT_ONCE_BYTES or end - start == AGAIN_AT_ONCE):
            yield contested.slice(start, end - start)
            start, held = end, 0
        held += size
    if start < contested.num_rows:
        yield contested.slice(start)


def read_again(lines: pa.Table) -> pa.Table:
    """The lines with what DuckDB is to read of them, and whether they say more."""
    documents, more = [], []
    for raw in lines["raw"].to_pylist():
        form, says_more = brief_form(raw) if len(raw) > LONG else (normal_form(raw), False)
        documents.append(NO_JSON if form is None else form)
        more.append(says_more)
    with_documents = lines.append_column("document", pa.array(documents, pa.large_binary()))
    return with_documents.append_column("says_more", pa.array(more, pa.bool_()))
