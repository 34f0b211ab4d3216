"""Every rule about a single value can fail, and names just the row that breaks it."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

import duckdb
import pytest
from check_warehouse import AS_OF, TABLES, broken_sample, full_name
from pandera.config import ValidationDepth, config_context
from pandera.polars import DataFrameSchema
from product import Product

from pipelines.check import Finding
from pipelines.check.rows import TableResult, check_rows
from pipelines.check.runner import names_of_tables, referenced_values
from pipelines.check.schemas import schema_of

# What breaks a rule of one column, by how the rule ends.
BREAKING = {
    "is never null": "null",
    "is not empty": "''",
    "is in stg_statuses.status": "'WAITLISTED'",
    "is in stg_statuses.status_rank": "99",
    "is in participant_statuses.status": "'WAITLISTED'",
    "is in stg_statuses.label": "'Waitlisted'",
    "is in stg_statuses.incentive_status": "'Incentive Promised'",
    "is in stg_statuses.activity": "'diary study'",
    "is in stg_statuses.dashboard_series": "'diaries'",
    "is in stages.stage": "'Waiting'",
    "is in funnel_steps.step": "'waited'",
    "is in incentive_effects.backlog_state": "'promised'",
    "is in contact_statuses.contact_status": "'On Leave'",
    "is in stg_governance_rules.rule_id": "'letters'",
    "is between 0 and 1": "1.0001",
    "is at least -1000000000": "-1000000001",
    "is at least 0": "-1",
    "is at least 1": "0",
    "is not before 2000-01-01": "timestamptz '1999-12-31 23:59:59.999999+00'",
    "is before the end of the year 9999": "'infinity'",
    "is not after the as-of time": f"timestamptz '{AS_OF.isoformat()}' + interval 1 microsecond",
    "is not after the day of the as-of time": f"date '{AS_OF.date()}' + 1",
}


def schema(name: str) -> DataFrameSchema:
    """The schema of a table without a warehouse, so that no value is known."""
    return schema_of(TABLES[name], name, defaultdict(list), AS_OF)


def column_rules() -> Iterator[tuple[str, str, str]]:
    """Table, column and rule of every rule that the schemas have."""
    for name in TABLES:
        for column, said in schema(name).columns.items():
            yield from ((name, str(column), str(check.name)) for check in said.checks)
            if not said.nullable:
                yield name, str(column), "is never null"


def checked(connection: duckdb.DuckDBPyConnection, name: str, batch_rows: int = 500_000) -> TableResult:
    """What becomes of one table."""
    tables = names_of_tables(connection)
    values = referenced_values(connection, list(TABLES.values()), tables)
    return check_rows(connection, schema_of(TABLES[name], tables[name], values, AS_OF), batch_rows)


def broken_by(rule: str) -> str:
    """What breaks a rule of one column."""
    return "'none of them'" if rule.startswith("is one of: ") else BREAKING[rule]


def test_every_rule_is_tried() -> None:
    """A kind of rule that is added has to be broken here, too."""
    assert {rule for _, _, rule in column_rules() if not rule.startswith("is one of: ")} == set(BREAKING)


@pytest.mark.parametrize("name", TABLES)
def test_a_rule_of_one_column_fails(product: Product, name: str) -> None:
    """One value is broken: that rule fails, in that row alone. Each rule in a row of its own, as far as there are rows."""
    key = TABLES[name].keys[0][0]
    left = [(column, rule) for table, column, rule in column_rules() if table == name]
    assert left
    while left:
        with broken_sample(product) as connection:
            table = full_name(connection, name)
            [(rows,)] = connection.execute(f"select count(*) from {table}").fetchall()
            assert rows, "no row to break: see NOT_IN_SAMPLE"
            broken, left = left[:rows], left[rows:]
            for row, (column, rule) in enumerate(broken):
                connection.execute(f'update {table} set "{column}" = {broken_by(rule)} where rowid = {row}')
            keys = connection.execute(f"select {key} from {table} order by rowid limit {rows}").fetchall()
            findings = {finding.rule: finding for finding in checked(connection, name).findings}
        assert findings.keys() == {f"{column} {rule}" for column, rule in broken}
        for (column, rule), (named,) in zip(broken, keys, strict=False):
            finding = findings[f"{column} {rule}"]
            assert (finding.count, finding.sample_rows[key].to_list()) == (1, [named]), finding.rule
            assert column in finding.sample_rows.columns
            assert finding.meaning


def test_the_ends_of_the_range_of_times_are_in_it(product: Product) -> None:
    """A change at as-of belongs to the tables, and so does one in the first microsecond of the range."""
    with broken_sample(
        product,
        f"update marts.status_changes set occurred_at = timestamptz '{AS_OF.isoformat()}' where is_current",
        "update marts.status_changes set occurred_at = timestamptz '2000-01-01 00:00:00+00' where sequence_number = 1",
    ) as connection:
        assert not checked(connection, "status_changes").findings


@pytest.mark.parametrize("batch_rows", [1_000, 5_000, 500_000])
def test_batches_are_added_up(product: Product, batch_rows: int) -> None:
    """Thousands of failures in several batches are counted exactly; the sample is the first ten, however it is cut."""
    with broken_sample(product, "update staging.stg_changes set status_rank = 99 where rowid >= 700") as connection:
        outcome = checked(connection, "stg_changes", batch_rows)
        first = connection.execute(
            "select participant_key from staging.stg_changes where status_rank = 99 order by rowid limit 10"
        ).fetchall()
    [finding] = outcome.findings
    assert finding.count == outcome.rows - 700 > 4_000
    assert finding.sample_rows["participant_key"].to_list() == [value for (value,) in first]


def test_every_broken_rule_is_listed(product: Product) -> None:
    """The first failure hides none of the others, in the same row or elsewhere."""
    with broken_sample(
        product,
        "update marts.participants set study_id = '', missing_changes = -1, furthest_step = 'x' where rowid < 3",
        "update marts.participants set current_stage = null where rowid = 500",
    ) as connection:
        findings = checked(connection, "participants").findings
    assert {finding.rule: finding.count for finding in findings} == {
        "study_id is not empty": 3,
        "missing_changes is at least 0": 3,
        "furthest_step is in funnel_steps.step": 3,
        "current_stage is never null": 1,
    }


def test_pandera_cannot_be_turned_off_from_outside(product: Product) -> None:
    """PANDERA_VALIDATION_ENABLED and _DEPTH in somebody's environment would make every check pass."""
    off = config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY)
    broken = broken_sample(product, "update staging.stg_changes set status_rank = 99 where rowid = 0")
    with broken as connection, off:
        assert len(checked(connection, "stg_changes").findings) == 1


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
        outcome = checked(connection, "participants")
    assert [finding.rule for finding in outcome.findings] == rules
    assert outcome.has_valid_schema == (not rules)
    assert bool(outcome.rows) == (not rules)


def test_pandera_keeps_no_more_failing_rows_than_are_shown() -> None:
    """Else it would copy each of ten million failing rows into Python objects."""
    for name in TABLES:
        rules = [column.checks for column in schema(name).columns.values()]
        assert {rule.n_failure_cases for rule in chain(*rules)} == {10}


def test_findings_of_a_sample_without_faults_are_none(product: Product) -> None:
    """Every table of the sample is read whole, and nothing is found."""
    with broken_sample(product) as connection:
        for name in TABLES:
            [(rows,)] = connection.execute(f"select count(*) from {full_name(connection, name)}").fetchall()
            assert checked(connection, name) == TableResult(rows, list[Finding]())
