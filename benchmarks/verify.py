"""Compares the result of another contestant with studyflow's: row by row, in both directions, counting repeated rows.

    python benchmarks/verify.py OURS.duckdb KIND WHAT

WHAT is a database if KIND is `floor` or `dlt`, and a folder with Parquet files if KIND is `pandas` or `polars`. If all
tables are equal, it prints their numbers of rows as JSON. Otherwise it says what differs and exits with 1.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb

# For every mart, the columns that the other has, too. The floor's screener_pass_rate is our auto_qualified_rate.
TABLES = """
select
    schema_name || '.' || table_name as "table",
    string_agg(
        '"' || case when $kind = 'floor' and column_name = 'screener_pass_rate' then 'auto_qualified_rate' else column_name end || '"',
        ', ' order by theirs.column_index
    ) as columns,
    string_agg('"' || column_name || '"', ', ' order by theirs.column_index) as columns_of_other
from duckdb_tables() as ours
inner join duckdb_columns() as theirs
    using (schema_name, table_name)
where
    ours.database_name = 'ours' and theirs.database_name = 'other'
    and (schema_name = 'marts' or (schema_name = 'audit' and table_name = 'gaps'))
group by all
order by all
"""
# Instants in pandas have nanoseconds, so they are cast.
PARTICIPANTS = """
select participant_id, study_id, current_status, current_stage, first_seen_at, last_changed_at
from ours.marts.participants
"""
PARTICIPANTS_OF_PEER = """
select
    "participantId", "studyId", current_status, current_stage, first_seen_at::timestamptz, last_changed_at::timestamptz
from '{folder}/participants.parquet'
"""
# Only steps that are in our study_funnel are compared: the peers have a row for every step that anyone reached.
REACHED = "select study_id, step_order, reached from ours.marts.study_funnel"
REACHED_OF_PEER = """
select "studyId", step_order, reached
from '{folder}/study_funnel.parquet'
semi join ours.marts.study_funnel as funnel
    on "studyId" = funnel.study_id and study_funnel.step_order = funnel.step_order
"""
COUNTS = """
select
    sum(lines)::bigint as lines,
    sum(blank)::bigint as blank,
    sum(accepted)::bigint as accepted,
    sum(other_events)::bigint as other_events,
    sum(rejected)::bigint as rejected,
    (select count(*) from (
        select distinct participant_id, person_id, study_id, status, prior_status, occurred_at
        from ours.staging.stg_deliveries
    )) as distinct_changes
from ours.audit.load_files
"""
# Only the numbers of rejected lines are compared: studyflow shows invalid UTF-8 and some documents in another form.
REJECTED = "select count(*) as rejected_lines from {database}.audit.rejected_lines"


def compared(connection: duckdb.DuckDBPyConnection, kind: str, what: Path) -> Iterator[tuple[str, str, str]]:
    """Yield what to compare: a name, our query, and the other's query."""
    place = str(what).replace("'", "''")
    if kind in {"floor", "dlt"}:
        connection.execute(f"attach '{place}' as other (read_only)")
        for table, columns, columns_of_other in connection.execute(TABLES, {"kind": kind}).fetchall():
            yield table, f"select {columns} from ours.{table}", f"select {columns_of_other} from other.{table}"
    else:
        yield "participants", PARTICIPANTS, PARTICIPANTS_OF_PEER.format(folder=place)
        yield "study_funnel", REACHED, REACHED_OF_PEER.format(folder=place)
    if kind == "floor":
        yield "line_counts", COUNTS, "from other.audit.line_counts"
        yield "rejected_lines", REJECTED.format(database="ours"), REJECTED.format(database="other")


def verify(ours: Path, kind: str, what: Path) -> dict[str, int]:
    """The number of rows of each table, all of which are equal.

    Raises:
        ValueError: tables differ. The message says which, and in how many rows.
    """
    rows: dict[str, int] = {}
    differences = []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        connection.execute(f"attach '{str(ours).replace(chr(39), chr(39) * 2)}' as ours (read_only)")
        for name, mine, others in list(compared(connection, kind, what)):
            [(count, missing, surplus)] = connection.execute(f"""
                with mine as ({mine}), others as ({others})
                select
                    (select count(*) from mine),
                    (select count(*) from (from mine except all from others)),
                    (select count(*) from (from others except all from mine))
            """).fetchall()
            rows[name] = count
            if missing or surplus:
                differences.append(f"{name}: of {count} rows {missing} are missing, {surplus} are others")
    if differences:
        msg = f"{kind} differs from studyflow.\n" + "\n".join(differences)
        raise ValueError(msg)
    return rows


def main(ours: str, kind: str, what: str) -> None:
    """Compare and print."""
    try:
        print(json.dumps(verify(Path(ours), kind, Path(what))))
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
