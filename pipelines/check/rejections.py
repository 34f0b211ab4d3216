"""Report rejected lines as warnings: the pipeline worked correctly, but somebody should look at these lines."""

import duckdb

from pipelines.check.remedies import REJECTED, REJECTED_DEFAULT
from pipelines.check.report import SAMPLE_ROWS, Finding

SHOWN_CHARACTERS = 500
TABLE = "audit.rejected_lines"
COUNTS = f"select reason, count(*) from {TABLE} group by reason order by count(*) desc, reason"  # noqa: S608
LINES = f"""
select
    source_file,
    line_number,
    case when length(line) > {SHOWN_CHARACTERS} then left(line, {SHOWN_CHARACTERS}) || '…' else line end as line
from {TABLE}
where reason = $reason
order by source_file, line_number, position
limit {SAMPLE_ROWS}
"""  # noqa: S608


def find_rejections(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """One finding per reason, the most frequent first, with the start of some of the lines."""
    findings = []
    for reason, count in connection.execute(COUNTS).fetchall():
        lines = connection.sql(LINES, params={"reason": reason}).pl()
        findings.append(Finding(TABLE, reason, count, lines, REJECTED.get(reason, REJECTED_DEFAULT)))
    return findings
