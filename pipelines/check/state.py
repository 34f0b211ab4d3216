"""What the warehouse remembers of its checks: `state.checked`, one row about the last one."""

import duckdb

from pipelines.check.meanings import WRONG_CLOCK
from pipelines.check.report import Report
from pipelines.warehouse import has_table


def record_checked(connection: duckdb.DuckDBPyConnection, report: Report, build_id: int) -> None:
    """Remember what came of the check of a build. `ok`: its tables are right, whatever a strict check says of lines.

    Tables that are wrong are not built on: `state.last_build` goes, so that the next build makes everything anew.
    """
    connection.execute("create schema if not exists state")
    connection.execute(
        "create or replace table state.checked as "
        "select cast($build_id as integer) as build_id, $ok as ok, $strict as strict",
        {"build_id": build_id, "ok": not report.failures, "strict": report.strict},
    )
    if any(finding.meaning != WRONG_CLOCK for finding in report.failures) and has_table(
        connection, "state", "last_build"
    ):
        connection.execute("delete from state.last_build")
