"""Every rule about a single row can fail, and names just the row that breaks it."""

from collections.abc import Iterator
from itertools import chain

import duckdb
import pytest
from check_warehouse import AS_OF, broken_sample
from pandera.config import ValidationDepth, config_context
from product import Product

from pipelines.check import Finding
from pipelines.check.known import EARLIEST, Known, read_known
from pipelines.check.rows import Checked, check_rows
from pipelines.check.schemas import TABLES

NOTHING = Known([], [], [], [], [], [], [], [], [], [], [], EARLIEST, AS_OF)

# What breaks a rule of one column, by how the rule ends.
BREAKING = {
    "is never null": "null",
    "is not empty": "''",
    "is in the table of statuses": "'WAITLISTED'",
    "is a label in the table of statuses": "'Waitlisted'",
    "is an incentive status of the reference tables": "'Incentive Promised'",
    "is an activity of the table of statuses": "'diary study'",
    "is a series of the table of statuses": "'diaries'",
    "is in reference.stages": "'Waiting'",
    "is in reference.funnel_steps": "'waited'",
    "is in reference.incentive_effects": "'promised'",
    "is in reference.contact_statuses": "'On Leave'",
    "is in the table of contact rules": "'letters'",
    "is between 0 and 1": "1.0001",
    "is at least 0": "-1",
    "is at least 1": "0",
    "is not before 2000-01-01": "timestamptz '1999-12-31 23:59:59.999999+00'",
    "is before the end of the year 9999": "'infinity'",
    "is not after as-of": f"timestamptz '{AS_OF.isoformat()}' + interval 1 microsecond",
    "is no later day than as-of": f"date '{AS_OF.date()}' + 1",
}

# Rules over several columns that the same value cannot but break, too.
LINES = "lines = blank + accepted + other_events + rejected"
ACCEPTED = "accepted = distinct_changes + repeated_deliveries"
ALSO = {
    ("marts.status_changes", "occurred_at is not after as-of"): {"ended_at is not before occurred_at"},
    ("marts.participants", "first_seen_at is not after as-of"): {
        "status_since is between first_seen_at and last_changed_at"
    },
    **{
        ("audit.load_files", f"{column} is at least 0"): {LINES}
        for column in ("lines", "blank", "other_events", "rejected")
    },
    ("audit.load_files", "accepted is at least 0"): {LINES, ACCEPTED},
    ("audit.load_files", "distinct_changes is at least 0"): {ACCEPTED},
    ("audit.load_files", "repeated_deliveries is at least 0"): {ACCEPTED},
}

# Rules over several columns: what breaks them in a row of the table that meets the condition.
ROW_RULES = {
    ("marts.status_changes", "ended_at is not before occurred_at"): (
        "ended_at = occurred_at - interval 1 microsecond",
        "ended_at is not null",
    ),
    ("marts.status_changes", "is_current where there is no ended_at"): ("is_current = not is_current", "true"),
    ("marts.status_changes", "deliveries is 0 where is_inferred, and only there"): (
        "deliveries = 1 - deliveries",
        "deliveries < 2",
    ),
    ("marts.status_changes", "prior_status is null where is_inferred"): ("prior_status = status", "is_inferred"),
    ("marts.status_changes", "follows_gap is false where is_inferred"): ("follows_gap = true", "is_inferred"),
    ("marts.participants", "is_terminal as reference.stages has it"): ("is_terminal = not is_terminal", "true"),
    ("marts.participants", "status_since is between first_seen_at and last_changed_at"): (
        "status_since = last_changed_at + interval 1 microsecond",
        "true",
    ),
    ("audit.load_files", LINES): ("lines = lines + 1", "true"),
    ("audit.load_files", ACCEPTED): ("distinct_changes = distinct_changes - 1", "true"),
}


def column_rules() -> Iterator[tuple[str, str, str]]:
    """Table, column and rule of every rule about one column that the schemas have."""
    for table, schema_of in TABLES.items():
        for column, said in schema_of(NOTHING).columns.items():
            yield from ((table, str(column), str(check.name)) for check in said.checks)
            if not said.nullable:
                yield table, str(column), "is never null"


def checked(connection: duckdb.DuckDBPyConnection, table: str, batch_rows: int = 500_000) -> Checked:
    """What becomes of one table."""
    return check_rows(connection, TABLES[table](read_known(connection, AS_OF, EARLIEST)), batch_rows)


def test_every_rule_is_tried() -> None:
    """A rule that is added to a schema has to be broken here, too."""
    row_rules = {(table, str(check.name)) for table, schema_of in TABLES.items() for check in schema_of(NOTHING).checks}
    assert set(ROW_RULES) == row_rules
    assert {rule for _, _, rule in column_rules()} == set(BREAKING)


@pytest.mark.parametrize(("table", "column", "rule"), list(column_rules()))
def test_a_rule_of_one_column_fails(product: Product, table: str, column: str, rule: str) -> None:
    """One value is broken: that rule fails, in that row alone."""
    [key] = TABLES[table](NOTHING).metadata["key"][:1]
    with broken_sample(product, f'update {table} set "{column}" = {BREAKING[rule]} where rowid = 0') as connection:
        [(named,)] = connection.execute(f"select {key} from {table} where rowid = 0").fetchall()
        findings = checked(connection, table).findings
    rules = {f"{column} {rule}"} | ALSO.get((table, f"{column} {rule}"), set())
    assert {finding.rule: finding.count for finding in findings} == dict.fromkeys(rules, 1)
    for finding in findings:
        assert finding.sample_rows[key].to_list() == [named]
        assert column in finding.sample_rows.columns
        assert finding.meaning


@pytest.mark.parametrize(("table", "rule"), ROW_RULES)
def test_a_rule_of_several_columns_fails(product: Product, table: str, rule: str) -> None:
    """One row contradicts itself: that rule fails, in that row alone."""
    change, condition = ROW_RULES[table, rule]
    which = f"rowid = (select min(rowid) from {table} where {condition})"
    with broken_sample(product, f"update {table} set {change} where {which}") as connection:
        [finding] = checked(connection, table).findings
    assert (finding.table, finding.rule, finding.count) == (table, rule, 1)
    assert finding.sample_rows.height == 1


def test_the_ends_of_the_range_of_times_are_in_it(product: Product) -> None:
    """A change at as-of belongs to the tables, and so does one in the first microsecond of the range."""
    with broken_sample(
        product,
        f"update marts.status_changes set occurred_at = timestamptz '{AS_OF.isoformat()}' where is_current",
        f"update marts.status_changes set occurred_at = timestamptz '{EARLIEST.isoformat()}' where sequence_number = 1",
    ) as connection:
        assert not checked(connection, "marts.status_changes").findings


def test_the_range_begins_where_it_is_said(product: Product) -> None:
    """Who really has older changes says so."""
    old = "update staging.stg_changes set occurred_at = '1990-01-01 00:00:00+00' where rowid = 0"
    with broken_sample(product, old) as connection:
        for earliest, failures in ((EARLIEST, 1), (EARLIEST.replace(year=1990), 0)):
            known = read_known(connection, AS_OF, earliest)
            found = check_rows(connection, TABLES["staging.stg_changes"](known), 500_000).findings
            assert len(found) == failures


@pytest.mark.parametrize("batch_rows", [1_000, 5_000, 500_000])
def test_batches_are_added_up(product: Product, batch_rows: int) -> None:
    """Thousands of failures in several batches are counted exactly; the sample is the first ten, however it is cut."""
    with broken_sample(product, "update staging.stg_changes set status = 'X' where rowid >= 700") as connection:
        outcome = checked(connection, "staging.stg_changes", batch_rows)
        first = connection.execute(
            "select participant_id from staging.stg_changes where status = 'X' order by rowid limit 10"
        ).fetchall()
    [finding] = outcome.findings
    assert finding.count == outcome.rows - 700 > 4_000
    assert finding.sample_rows["participant_id"].to_list() == [value for (value,) in first]


def test_every_broken_rule_is_listed(product: Product) -> None:
    """The first failure hides none of the others, in the same row or elsewhere."""
    with broken_sample(
        product,
        "update marts.participants set study_id = '', missing_changes = -1, furthest_step = 'x' where rowid < 3",
        "update marts.participants set current_stage = null where rowid = 500",
    ) as connection:
        findings = checked(connection, "marts.participants").findings
    assert {finding.rule: finding.count for finding in findings} == {
        "study_id is not empty": 3,
        "missing_changes is at least 0": 3,
        "furthest_step is in reference.funnel_steps": 3,
        "current_stage is never null": 1,
    }


def test_pandera_cannot_be_turned_off_from_outside(product: Product) -> None:
    """PANDERA_VALIDATION_ENABLED and _DEPTH in somebody's environment would make every check pass."""
    off = config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY)
    broken = broken_sample(product, "update staging.stg_changes set status = 'X' where rowid = 0")
    with broken as connection, off:
        assert len(checked(connection, "staging.stg_changes").findings) == 1


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("drop column furthest_step", ["has the column furthest_step"]),
        (
            "alter status_since type varchar",
            ["status_since has the type Datetime(time_unit='us', time_zone='UTC')"],
        ),
        (
            "alter first_seen_at type timestamp",
            ["first_seen_at has the type Datetime(time_unit='us', time_zone='UTC')"],
        ),
        ("alter status_changes type bigint", ["status_changes has the type Int32"]),
        ("add column noticed_by varchar", []),
    ],
)
def test_a_table_of_another_shape_is_a_failure(product: Product, change: str, rules: list[str]) -> None:
    """Its rows are not looked at: what the rules would say of them means nothing. More columns do no harm."""
    with broken_sample(product, f"alter table marts.participants {change}") as connection:
        outcome = checked(connection, "marts.participants")
    assert [finding.rule for finding in outcome.findings] == rules
    assert outcome.is_sound == (not rules)
    assert bool(outcome.rows) == (not rules)


def test_pandera_keeps_no_more_failing_rows_than_are_shown() -> None:
    """Else it would copy each of ten million failing rows into Python objects."""
    for schema_of in TABLES.values():
        schema = schema_of(NOTHING)
        rules = [schema.checks, *(column.checks for column in schema.columns.values())]
        assert {rule.n_failure_cases for rule in chain(*rules)} == {10}


def test_findings_of_a_sample_without_faults_are_none(product: Product) -> None:
    """Every table of the sample is read whole, and nothing is found."""
    with broken_sample(product) as connection:
        for table in TABLES:
            outcome = checked(connection, table)
            assert outcome == Checked(connection.table(table).shape[0], list[Finding]())
