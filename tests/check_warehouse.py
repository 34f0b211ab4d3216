"""The sample, loaded and built, for tests that break it: each in a transaction that is rolled back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from unittest.mock import patch

import duckdb
from pandera.polars import DataFrameSchema
from product import Product

from pipelines.check import Finding, Report, check
from pipelines.check.contracts import TableContract, read_contracts
from pipelines.check.rows import TableResult, check_rows
from pipelines.check.rules import read_rules
from pipelines.check.runner import MODELS, RULES, names_of_tables, referenced_values
from pipelines.check.schemas import schema_of
from pipelines.load.loader import load
from pipelines.settings import SAMPLE, sample_as_of

AS_OF = sample_as_of()
NOT_IN_SAMPLE = """
insert into audit.data_notes by name select 'test_id' as note, 'test_1' as subject, 1 as occurrences;
insert into audit.invited_too_many by name
select
    study_id, date '2026-07-30' as day, 'burst' as reason, 300 as invited, 10 as places_left, 90 as expected, 80 as overshoot
from marts.study_progress order by study_id limit 1;
insert into audit.steps_below_usual by name
select
    study_id, 'invited' as step, timestamptz '2026-07-20 00:00:00+00' as since, 60 as arrived, 10 as went_on, 30 as expected,
    'study' as rests_on, 2000 as times_likelier
from marts.study_progress order by study_id limit 1;
"""
"""The sample has no such things, and a rule that no row can break would not be tried."""
A_LIMIT = {"study_id": "cmq9iofzz0003hcdhd7qdx65e", "participation_limit": 400}
"""One open study is not full, so that it needs invitations."""
RULE_FILES = read_rules(RULES)
CONTRACTS = {contract.name: contract for contract in read_contracts(MODELS)}
TABLES = {name: contract for name, contract in CONTRACTS.items() if contract.columns}
"""What is checked row by row, by name in dbt."""

VICTIMS = """
set variable victim = (
    select participant_id
    from marts.participants
    inner join marts.status_changes using (participant_id)
    where missing_changes = 0 and current_stage = 'In Progress'
    group by participant_id
    having count(*) >= 5 and count(distinct occurred_at) = count(*) and max(deliveries) = 1
    order by participant_id
    limit 1
);
set variable victim_of_gap = (
    select min(this.participant_id)
    from marts.status_changes as this
    inner join marts.status_changes as before
        on this.participant_id = before.participant_id and this.sequence_number = before.sequence_number + 1
    where this.is_inferred and this.status <> 'NOT_STARTED' and before.occurred_at < this.occurred_at - interval 1 second
);
set variable victim_of_state = (
    select participant_id
    from marts.incentive_states
    where ended_at > began_at
    order by participant_id, sequence_number
    limit 1
);
"""


_WITH_ALLOWED_VALUES = {
    column.reference[0] for contract in TABLES.values() for column in contract.columns if column.reference
}


def models_checked(product: Product) -> list[str]:
    """The models that a check reads."""
    needed = {*TABLES, "rejected_lines"}.union(*(file.needs for file in RULE_FILES))
    return sorted(needed & {model["name"] for model in product.models.values()})


def full_name(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """A table with its schema."""
    return names_of_tables(connection)[name]


@contextmanager
def broken_sample(product: Product, *statements: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample's warehouse after these statements.

    `getvariable('victim')` is a participant in progress with at least five changes at different instants, each
    delivered once; `getvariable('victim_of_gap')` is one who has an inferred change that is not the first;
    `getvariable('victim_of_state')` is one whose first incentive state lasted and was followed by another.
    """
    connection = _sample(product)
    _rows_of_sample(product)  # kept for all tests, so before anything is broken
    connection.begin()
    try:
        for statement in statements:
            connection.execute(statement)
        yield connection
    finally:
        connection.rollback()


def report_of_broken(product: Product, *statements: str) -> Report:
    """What a check says of the sample after these statements."""
    with broken_sample(product, *statements) as connection:
        return check_broken(product, connection, *statements)


def check_broken(product: Product, connection: duckdb.DuckDBPyConnection, *statements: str) -> Report:
    """What a check says of a sample after these statements.

    The rows of tables that no statement names are those of the sample, which were checked once. A statement that
    names a table with allowed values makes all rows be checked again.
    """
    said = " ".join(statements)
    right = {table: checked for table, checked in _rows_of_sample(product).items() if table not in said}
    if any(full_name(connection, table) in said for table in _WITH_ALLOWED_VALUES):
        right = {}

    def check_what_changed(connection: duckdb.DuckDBPyConnection, schema: DataFrameSchema) -> TableResult:
        return right.get(str(schema.name)) or check_rows(connection, schema)

    with (
        patch("pipelines.check.rows.check_rows", check_what_changed),
        patch("pipelines.check.schemas.schema_of", _schema_made_once),
    ):
        return check(connection, AS_OF)


def counts(findings: list[Finding]) -> dict[tuple[str, str], int]:
    """How many rows break which rule of which table."""
    return {(finding.table, finding.rule): finding.count for finding in findings}


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database of the test's own."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    try:
        yield connection
    finally:
        connection.close()


_SCHEMAS: dict[tuple[str, datetime, bool, str], DataFrameSchema] = {}


def _schema_made_once(
    contract: TableContract,
    table: str,
    values: Mapping[tuple[str, str], Sequence[str | int]],
    as_of: datetime,
    *,
    is_guaranteed: bool = False,
) -> DataFrameSchema:
    """What `schema_of` gives, which takes pandera longer than most checks of a small table."""
    key = (table, as_of, is_guaranteed, repr(values))
    if key not in _SCHEMAS:
        _SCHEMAS[key] = schema_of(contract, table, values, as_of, is_guaranteed=is_guaranteed)
    return _SCHEMAS[key]


@cache
def _sample(product: Product) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    load(connection, [SAMPLE])
    product.prepare(connection)
    product.build(connection, *models_checked(product), as_of=AS_OF, optional={"stg_studies": [A_LIMIT]})
    connection.execute(VICTIMS)
    connection.execute(NOT_IN_SAMPLE)
    return connection


@cache
def _rows_of_sample(product: Product) -> dict[str, TableResult]:
    connection = _sample(product)
    tables = names_of_tables(connection)
    values = referenced_values(connection, list(TABLES.values()), tables)
    return {
        tables[name]: check_rows(connection, schema_of(contract, tables[name], values, AS_OF))
        for name, contract in TABLES.items()
    }
