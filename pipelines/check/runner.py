"""Every check, in one go."""

from datetime import datetime
from itertools import chain

import duckdb

from pipelines.check.accounting import ACCOUNTING
from pipelines.check.histories import HISTORIES
from pipelines.check.keys import KEYS, MART_KEYS
from pipelines.check.known import EARLIEST, read_known
from pipelines.check.marts import MARTS
from pipelines.check.rejections import find_rejections
from pipelines.check.report import Finding, Report
from pipelines.check.scan import run
from pipelines.check.studies import STUDIES
from pipelines.errors import StudyflowError
from pipelines.warehouse import has_table

BATCH_ROWS = 500_000

NEEDED = (
    "raw.files",
    "raw.deliveries",
    "reference.stages",
    "reference.funnel_steps",
    "reference.incentive_effects",
    "reference.contact_statuses",
    "staging.stg_statuses",
    "staging.stg_changes",
    "staging.stg_governance_rules",
    "marts.status_changes",
    "marts.participants",
    "audit.load_files",
    "audit.rejected_lines",
    "audit.gaps",
    *MARTS,
)


def check(
    connection: duckdb.DuckDBPyConnection,
    as_of: datetime,
    *,
    strict: bool = False,
    batch_rows: int = BATCH_ROWS,
    earliest: datetime = EARLIEST,
) -> Report:
    """Everything that is wrong with the tables of a warehouse, which were built as of `as_of`.

    Tables are read in batches of about `batch_rows` rows, so that any number of changes can be checked. Changes before
    `earliest` fail. Rejected lines are warnings, and fail the report when it is `strict`.

    Raises:
        StudyflowError: a table is not there yet.
    """
    from pipelines.check.rows import check_rows, count_rules  # noqa: PLC0415 - pandera takes a second to import
    from pipelines.check.schemas import TABLES  # noqa: PLC0415

    _require_tables(connection)
    known = read_known(connection, as_of, earliest)
    rules = 0
    rows: dict[str, int] = {}
    unsound: set[str] = set()
    failures: list[Finding] = []
    for table, schema_of in TABLES.items():
        schema = schema_of(known)
        checked = check_rows(connection, schema, batch_rows)
        rows[table] = checked.rows
        failures += checked.findings
        rules += count_rules(schema)
        if not checked.is_sound:
            unsound.add(table)
    for scan in chain(KEYS, MART_KEYS, HISTORIES, STUDIES, ACCOUNTING):
        if not scan.reads(unsound):
            rules += len(scan.rules)
            failures += run(connection, scan, as_of)
    return Report(as_of, strict, rows, rules, failures, find_rejections(connection))


def _require_tables(connection: duckdb.DuckDBPyConnection) -> None:
    missing = [name for name in NEEDED if not has_table(connection, *name.split("."))]
    if missing:
        msg = f"There is no {', '.join(missing)} to check. Build the tables first: studyflow build"
        raise StudyflowError(msg)
