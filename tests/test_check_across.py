"""Every rule about several rows or tables can fail, and says who breaks it."""

from datetime import timedelta

import pytest
from check_breaks import (
    BREAKS,
    CHANGES,
    FILES,
    GAPS,
    KEPT,
    NEXT,
    PARTICIPANTS,
    REJECTED,
    STAGED,
    VICTIM,
    VICTIMS_OF_ALL,
)
from check_warehouse import (
    AS_OF,
    CONTRACTS,
    RULE_FILES,
    broken_sample,
    check_broken,
    counts,
    models_checked,
    report_of_broken,
    warehouse,
)
from product import Product

from pipelines.check import check
from pipelines.check.runner import RULES
from pipelines.errors import StudyflowError
from pipelines.load.loader import load
from pipelines.settings import SAMPLE


def test_every_rule_is_tried() -> None:
    """A rule that is added has to be broken here, too. test_check_marts.py repeats the keys of models."""
    rules = {(rule.table, rule.rule) for file in RULE_FILES for rule in file.rules}
    raw_keys = {
        (name, f"{' + '.join(key)} is unique") for name, table in CONTRACTS.items() if "." in name for key in table.keys
    }
    assert rules | raw_keys <= {broken for case in BREAKS.values() for broken in case.failures}


def test_every_rule_file_says_why_and_what_to_do() -> None:
    """Who reads a failure of dbt has nothing but the file."""
    for file in RULE_FILES:
        title, why = (RULES / f"{file.name}.sql").read_text().partition("\n-- Remedy: ")[0].split("\n-- Why: ")
        assert title.endswith("."), file.name
        assert why.endswith("."), file.name
        assert "studyflow" in file.remedy, file.name
        assert file.rules, file.name


def test_the_sample_passes(product: Product) -> None:
    """What the pipeline makes breaks none of its rules."""
    with broken_sample(product) as connection:
        report = check(connection, AS_OF)
    assert report.ok
    assert not report.failures
    assert report.rows[CHANGES] > report.rows[STAGED] > 4_000
    assert report.rules > 100


@pytest.mark.parametrize("case", BREAKS)
def test_a_rule_fails_and_no_other(product: Product, case: str) -> None:
    """Exactly what was broken is reported, with the row that was broken."""
    broken = BREAKS[case]
    with broken_sample(product, *broken.statements) as connection:
        report = check_broken(product, connection, *broken.statements)
        [victims] = connection.execute(VICTIMS_OF_ALL).fetchall()
    assert counts(report.failures) == broken.failures
    assert not report.ok
    for finding in report.failures:
        assert finding.meaning
        [row] = finding.sample_rows.to_dicts()
        if "participant_id" in row:
            assert row["participant_id"] in victims
        elif "file_id" in row:
            assert row["file_id"] in {1, 99}


def test_many_failures_are_counted_and_some_are_shown(product: Product) -> None:
    """The exact number, and the first ten in the order of their ids."""
    report = report_of_broken(product, f"update {PARTICIPANTS} set missing_changes = missing_changes + 1")
    [finding] = report.failures
    assert finding.count == report.rows[PARTICIPANTS]
    assert finding.sample_rows.height == 10
    assert finding.sample_rows["participant_id"].is_sorted()


def test_tables_built_for_a_later_moment_do_not_pass(product: Product) -> None:
    """A check as of last week must not call this week's tables right."""
    with broken_sample(product) as connection:
        report = check(connection, AS_OF - timedelta(days=7))
    assert {(CHANGES, "occurred_at is not after the as-of time"), KEPT} <= set(counts(report.failures))


def test_what_is_loaded_and_not_built_is_found(product: Product) -> None:
    """After a load alone the tables are those of the load before, and say so."""
    with warehouse() as connection:
        load(connection, [SAMPLE / "events-0001.jsonl"])
        product.prepare(connection)
        product.build(connection, *models_checked(product), as_of=AS_OF)
        assert check(connection, AS_OF).ok
        load(connection, [SAMPLE / "events-0003.jsonl"])
        report = check(connection, AS_OF)
    assert counts(report.failures) == {
        (FILES, "every file in raw.files with lines is listed, and no other"): 1,
        (REJECTED, "one row per rejected line of raw.deliveries"): 1,
    }


def test_an_empty_warehouse_passes(product: Product) -> None:
    """Before the first webhook there is nothing wrong."""
    with warehouse() as connection:
        product.prepare(connection)
        product.build(connection, *models_checked(product), as_of=AS_OF)
        report = check(connection, AS_OF, strict=True)
    assert report.ok
    assert report.rows[CHANGES] == 0


def test_tables_that_are_not_there_are_named(product: Product) -> None:
    """The error says which, and what makes them."""
    with broken_sample(product, f"drop table {GAPS}") as connection, pytest.raises(StudyflowError) as error:
        check(connection, AS_OF)
    assert "these tables have not been built: gaps." in str(error.value)
    assert "studyflow build" in str(error.value)


def test_rules_that_need_a_table_of_another_shape_are_left_out(product: Product) -> None:
    """They cannot run; all others still do."""
    report = report_of_broken(
        product,
        f"alter table {PARTICIPANTS} drop column status_changes",
        f"update {CHANGES} set ended_at = ended_at + interval 1 microsecond where sequence_number = 1 and {VICTIM}",
        f"update {FILES} set repeated_deliveries = repeated_deliveries + 1 where file_id = 1",
    )
    assert counts(report.failures) == {
        (PARTICIPANTS, "has the column status_changes"): 1,
        (FILES, "accepted = distinct_changes + repeated_deliveries"): 1,
        NEXT: 1,
    }


def test_times_that_no_calendar_has_are_reported(product: Product) -> None:
    """Infinity makes polars panic when it is written down, and Python has no date for it."""
    report = report_of_broken(product, f"update {CHANGES} set ended_at = 'infinity' where {VICTIM} and is_current")
    assert counts(report.failures) == {
        (CHANGES, "ended_at is not after the as-of time"): 1,
        (CHANGES, "is_current is true exactly where ended_at is null"): 1,
    }
