"""Report rejected lines as warnings: the pipeline worked correctly, but somebody should look at these lines."""

from typing import TYPE_CHECKING

import duckdb

from pipelines.check.remedies import REJECTED, REJECTED_DEFAULT
from pipelines.check.report import SAMPLE_ROWS, Finding

if TYPE_CHECKING:
    import polars as pl

SHOWN_CHARACTERS = 500
TABLE = "audit.rejected_lines"


def find_rejections(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """One finding per reason, the most frequent first, with the start of some of the lines."""
    counts = connection.execute(
        f"select reason, count(*) from {TABLE} group by reason order by count(*) desc, reason"  # noqa: S608
    ).fetchall()
    return [
        Finding(TABLE, reason, count, _lines(connection, reason), REJECTED.get(reason, REJECTED_DEFAULT))
        for reason, count in counts
    ]


def _lines(connection: duckdb.DuckDBPyConnection, reason: str) -> "pl.DataFrame":
    query = f"""
select
    source_file,
    line_number,
    case when length(line) > {SHOWN_CHARACTERS} then left(line, {SHOWN_CHARACTERS}) || '…' else line end as line
from {TABLE}
where reason = $reason
order by source_file, line_number, position
limit {SAMPLE_ROWS}
"""  # noqa: S608
    lines: pl.DataFrame = connection.sql(query, params={"reason": reason}).pl()
    return lines
