"""Every check, in one go."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, repeat

import duckdb

from pipelines.check.accounting import ACCOUNTING, ACCOUNTING_OF_CHANGES
from pipelines.check.histories import HISTORIES
from pipelines.check.keys import KEYS, MART_KEYS
from pipelines.check.known import EARLIEST, read_known
from pipelines.check.marts import MARTS
from pipelines.check.rejections import find_rejections
from pipelines.check.replaced import replacements
from pipelines.check.report import Finding, Report
from pipelines.check.scan import Scan, is_proved, run
from pipelines.check.scope import EVERYTHING, Scope
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


def check(  # noqa: PLR0913 - what is checked, and how, is the caller's
    connection: duckdb.DuckDBPyConnection,
    as_of: datetime,
    *,
    strict: bool = False,
    batch_rows: int = BATCH_ROWS,
    earliest: datetime = EARLIEST,
    scope: Scope = EVERYTHING,
) -> Report:
    """Everything that is wrong with the tables of a warehouse, which were built as of `as_of`.

    A `scope` of less than everything finds what a build did wrong that changed some rows of tables which were right:
    see `scope_of_build`.

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
        checked = check_rows(connection, schema, batch_rows, scope)
        rows[table] = checked.rows
        failures += checked.findings
        rules += count_rules(schema)
        if not checked.is_sound:
            unsound.add(table)
    is_right = not failures
    for scan, rows_of in _scans(scope):
        if scan.reads(unsound):
            continue
        rules += len(scan.rules)
        if scan.proof and (is_right or not scan.presumes):
            if is_proved(connection, scan, as_of, rows_of):
                continue
            is_right = False
        found = run(connection, scan, as_of, rows_of)
        failures += found
        is_right = is_right and not found
    return Report(as_of, strict, rows, rules, failures, find_rejections(connection), scope.name)


def _scans(scope: Scope) -> Iterator[tuple[Scan, Scope]]:
    """Every scan, and what it looks at."""
    yield from zip(chain(KEYS, MART_KEYS, HISTORIES), repeat(scope))
    if scope.since_load is None:
        yield from zip(chain(STUDIES, ACCOUNTING), repeat(scope))
    else:
        yield from zip(chain(replacements(scope), STUDIES, ACCOUNTING_OF_CHANGES), repeat(scope.whole))


def _require_tables(connection: duckdb.DuckDBPyConnection) -> None:
    missing = [name for name in NEEDED if not has_table(connection, *name.split("."))]
    if missing:
        msg = f"There is no {', '.join(missing)} to check. Build the tables first: studyflow build"
        raise StudyflowError(msg)
