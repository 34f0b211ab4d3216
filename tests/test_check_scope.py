"""After an incremental build it is enough to check what the build changed, and nothing it can have done wrong is missed."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pytest
from check_warehouse import AS_OF, KEPT_BY, TOUCHED, broken_sample, counts, incremental_build, warehouse
from product import Product
from rich.console import Console

from pipelines.check import Report, as_dict, check, record_checked, render, replaced, scope_of_build, was_checked
from pipelines.check.schemas import TABLES

CHANGES, STAGED, PARTICIPANTS, GAPS = "marts.status_changes", "staging.stg_changes", "marts.participants", "audit.gaps"
DELIVERIES, LEDGER, FILES, REJECTED = "raw.deliveries", "raw.files", "audit.load_files", "audit.rejected_lines"
REPLACED = "the rows of each touched key are those that the last build put there"
TOTAL = (STAGED, "the deliveries of all changes = the accepted lines of all files")
KEPT = (CHANGES, "every staged change up to as-of is there once, with its deliveries")
VICTIM = "participant_id = getvariable('victim')"
NEW_REJECTED = "rowid = (select min(rowid) from audit.rejected_lines where file_id = 4)"
NEW_LINE = "rowid = (select min(rowid) from raw.deliveries where load_id = 2 and participant_id is not null)"


@contextmanager
def changed_sample(product: Product, *statements: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample after an incremental build that is made up, and these statements."""
    with broken_sample(product, *incremental_build(), *statements) as connection:
        yield connection


def report_of_changes(product: Product, *statements: str) -> Report:
    """What a check of the changes says of it."""
    with changed_sample(product, *statements) as connection:
        return check(connection, AS_OF, scope=scope_of_build(connection))


def both(change: str, table: str) -> tuple[str, str]:
    """A change to a table, and to what the build put there."""
    return change.format(table), change.format(f"delta.{table.partition('.')[2]}")


@dataclass(frozen=True)
class Break:
    """What a build did wrong, and all that must be found then."""

    statements: tuple[str, ...]
    failures: dict[tuple[str, str], int]


BREAKS = {
    "a value that cannot be": Break(
        both(f"update {{}} set stage = 'Waiting' where sequence_number = 2 and {VICTIM}", CHANGES),
        {(CHANGES, "stage is in reference.stages"): 1, (CHANGES, "stage is a stage of the status"): 1},
    ),
    "a status that ends too early": Break(
        both(
            f"update {{}} set ended_at = ended_at - interval 1 microsecond where sequence_number = 2 and {VICTIM}",
            CHANGES,
        ),
        {(CHANGES, "ended_at is the next change's occurred_at"): 1},
    ),
    "another person": Break(
        both(f"update {{}} set person_id = 'other' where {VICTIM}", PARTICIPANTS),
        {(PARTICIPANTS, "person_id is that of the changes"): 1},
    ),
    "a change that was not taken in": Break(
        both(f"delete from {{}} where sequence_number = 1 and {VICTIM}", CHANGES),
        {
            (CHANGES, "sequence_number runs 1, 2, 3, …"): 1,
            (CHANGES, "follows_gap where prior_status is not the status before"): 1,
            KEPT: 1,
            (PARTICIPANTS, "status_changes counts the delivered changes"): 1,
            (PARTICIPANTS, "first_seen_at is the time of the first change"): 1,
        },
    ),
    "a row twice": Break(
        both("insert into {0} from {0} where study_id = (select min(study_id) from {0})", "marts.study_progress"),
        {("marts.study_progress", "study_id is unique"): 1},
    ),
    "old rows that were not deleted": Break(
        (f"insert into {CHANGES} from {CHANGES} where {VICTIM}",),
        {(CHANGES, REPLACED): 1},
    ),
    "new rows that were not put there": Break(
        ("delete from marts.people where person_id in (select person_id from intermediate.int_touched_people)",),
        {("marts.people", REPLACED): -1},
    ),
    "new rows of somebody who was not touched": Break(
        both(
            "insert into {} from audit.gaps where (participant_id, sequence_number) = "
            "(select max((participant_id, sequence_number)) from audit.gaps where study_id is not null)",
            GAPS,
        )[::-1],
        {(GAPS, REPLACED): 1, (GAPS, "one row per change that follows a gap"): 1},
    ),
    "deliveries that were left out": Break(
        both(f"update {{}} set deliveries = deliveries + 1 where sequence_number = 1 and {VICTIM}", CHANGES)
        + both(
            "update {0} set deliveries = deliveries + 1 where rowid = (select min(rowid) from {0} "
            f"where {VICTIM} and prior_status is null)",
            STAGED,
        ),
        {TOTAL: 1},
    ),
    "a rejected line that is not listed": Break(
        (f"delete from {REJECTED} where {NEW_REJECTED}",),
        {
            (REJECTED, "one row per rejected line of raw.deliveries"): 1,
            (FILES, "rejected is what audit.rejected_lines lists"): 1,
        },
    ),
    "a line twice": Break(
        (f"insert into {DELIVERIES} from {DELIVERIES} where {NEW_LINE}",),
        {
            (DELIVERIES, "file_id + line_number is unique"): 1,
            (LEDGER, "lines - blank_lines = rows in raw.deliveries"): 1,
        },
    ),
    "a line of no file": Break(
        (f"update {DELIVERIES} set file_id = 99 where {NEW_LINE}",),
        {
            (DELIVERIES, "every delivery is of a file in raw.files"): 1,
            (LEDGER, "lines - blank_lines = rows in raw.deliveries"): 1,
        },
    ),
    "a file that is not counted": Break(
        (f"delete from {FILES} where file_id = 4",),
        {(FILES, "every file in raw.files with lines is there, and no other"): 1, TOTAL: 1},
    ),
    "a file counted as it was": Break(
        (
            (
                f"update {FILES} set lines = lines - 1, accepted = accepted - 1, distinct_changes = distinct_changes - 1 "
                "where file_id = 4"
            ),
        ),
        {(FILES, "lines and blank are those of raw.files"): 1, TOTAL: 1},
    ),
    "a study that is not retyped for participants of old": Break(
        (
            f"update {PARTICIPANTS} set study_type = 'x' where participant_id = (select max(participant_id) from {CHANGES})",
        ),
        {(PARTICIPANTS, "study_type is that of the study's row in study_progress"): 1},
    ),
    "an aggregate that is made anew each time": Break(
        ("update marts.study_stage_daily set participants = -1 where rowid = 0",),
        {("marts.study_stage_daily", "participants is at least 0"): 1},
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_what_a_build_does_wrong_is_found(product: Product, case: str) -> None:
    """Exactly what was broken, as a check of everything would find it."""
    broken = BREAKS[case]
    found = counts(report_of_changes(product, *broken.statements).failures)
    assert {rule: count if broken.failures.get(rule) != -1 else -1 for rule, count in found.items()} == broken.failures


def test_tables_are_kept_by_the_columns_that_the_check_thinks(product: Product) -> None:
    """Else rows that are right would be called wrong."""
    kept = {
        f"{model['schema']}.{model['name']}": model["config"]["unique_key"]
        for model in product.models.values()
        if model["config"]["materialized"] == "incremental"
    }
    known = {table: key for table, key in replaced.KEPT_BY.items() if table in kept}
    assert known == {table: key for table, key in kept.items() if table in [*TABLES, GAPS]}


def test_a_right_build_passes_and_little_is_looked_at(product: Product) -> None:
    """Of tables that were changed in part only what was put there is read, of the others all."""
    with changed_sample(product) as connection:
        everything = check(connection, AS_OF)
        changes = check(connection, AS_OF, scope=scope_of_build(connection))
        [(touched,)] = connection.execute(f"select count(*) from {CHANGES} where {TOUCHED}").fetchall()
    assert everything.ok
    assert changes.ok
    assert (everything.scope, changes.scope) == ("everything", "changes")
    assert 0 < changes.rows[CHANGES] == touched < everything.rows[CHANGES]
    kept = {table for tables in KEPT_BY.values() for table in tables}
    for table, rows in changes.rows.items():
        assert rows <= everything.rows[table]
        assert table in kept or rows == everything.rows[table]
    assert counts(changes.warnings) == counts(everything.warnings) != {}


def test_what_the_build_did_not_change_is_not_looked_at(product: Product) -> None:
    """It was looked at when it was made."""
    old = f"update {CHANGES} set stage = 'Waiting' where participant_id = (select max(participant_id) from {CHANGES})"
    assert report_of_changes(product, old).ok


def test_a_report_says_what_was_looked_at(product: Product) -> None:
    """A person and a program must not take it for a check of everything."""
    report = report_of_changes(product)
    text = io.StringIO()
    render(report, Console(file=text, width=200))
    assert "only what the last build changed" in text.getvalue()
    assert as_dict(report)["scope"] == "changes"


@pytest.mark.parametrize(
    "statement",
    [
        "drop table state.last_build",
        "delete from state.last_build",
        "update state.last_build set previous_build_id = null",
        "update state.this_build set build_id = 9",
        "update state.this_build set previous_load_id = null",
        "drop table state.checked",
        "delete from state.checked",
        "update state.checked set ok = false",
        "update state.checked set build_id = 6",
        "drop table intermediate.int_touched_people",
    ],
)
def test_otherwise_everything_is_checked(product: Product, statement: str) -> None:
    """After a build of everything, one that did not end, or one on tables that nobody found right."""
    with changed_sample(product, statement) as connection:
        assert scope_of_build(connection).name == "everything"


def test_a_warehouse_that_was_never_built_has_no_changes() -> None:
    """The question can be asked at any time."""
    with warehouse() as connection:
        assert scope_of_build(connection).name == "everything"
        assert not was_checked(connection, 1)


@pytest.mark.parametrize("strict", [False, True])
def test_a_check_is_remembered(product: Product, *, strict: bool) -> None:
    """Rejected lines make no table wrong, so they do not matter; another build does."""
    with broken_sample(product) as connection:
        report = check(connection, AS_OF, strict=strict)
        assert report.warnings
        for build_id in (1, 2):
            record_checked(connection, report, build_id)
            assert was_checked(connection, build_id)
        assert not was_checked(connection, 1)
        assert connection.execute("from state.checked").fetchall() == [(2, True, strict)]


def test_wrong_tables_are_not_built_on(product: Product) -> None:
    """A build would leave in place what is wrong with rows that it does not touch, so the next one makes all anew."""
    with changed_sample(product, f"update {CHANGES} set stage = 'Waiting' where {VICTIM}") as connection:
        record_checked(connection, check(connection, AS_OF), 8)
        assert not was_checked(connection, 8)
        assert connection.execute("from state.last_build").fetchall() == []


def test_a_clock_that_was_never_set_does_not_make_every_build_a_full_one(product: Product) -> None:
    """The webhook is wrong, not the tables; what was built on it is checked whole until it is corrected."""
    old = "update staging.stg_changes set occurred_at = '1990-01-01 00:00:00+00' where prior_status is null"
    with changed_sample(product, old) as connection:
        report = check(connection, AS_OF)
        report.failures[:] = [failure for failure in report.failures if "is not before 2000" in failure.rule]
        assert report.failures
        record_checked(connection, report, 8)
        assert not was_checked(connection, 8)
        assert len(connection.execute("from state.last_build").fetchall()) == 1
