"""Check keys: no two rows of a table may have the same values in these columns."""

import duckdb

from pipelines.check.remedies import REPEATED, TAMPERED
from pipelines.check.report import SAMPLE_ROWS, Finding
from pipelines.check.times import clip_times

LOADED = ("raw.files", "raw.deliveries", "raw.loads")
"""Tables that a build does not make, so that a build cannot repair them."""


def repeated_keys(connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...]) -> list[Finding]:
    """A finding if several rows share a key. Hashes of keys are compared first, because keys are long and few repeat."""
    key = ", ".join(columns)
    distinct = connection.execute(f"select 1 from {table} having count(*) <> count(distinct hash({key}))")  # noqa: S608
    if not distinct.fetchall():
        return []
    query = f"""
select {key}, count(*) as rows
from {table}
where hash({key}) in (select hash({key}) from {table} group by hash({key}) having count(*) > 1)
group by {key}
having count(*) > 1
"""  # noqa: S608
    [(count,)] = connection.execute(f"select count(*) from ({query})").fetchall()  # noqa: S608
    if not count:
        return []
    rows = connection.sql(f"select * from ({query}) order by all limit {SAMPLE_ROWS}").pl()  # noqa: S608
    remedy = TAMPERED if table in LOADED else REPEATED
    return [Finding(table, f"{' + '.join(columns)} is unique", count, clip_times(rows), remedy)]
