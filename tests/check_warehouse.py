"""The sample, loaded and built, for tests that break it: each in a transaction that is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
from product import Product

from pipelines.check import Finding, Report, check
from pipelines.check.marts import MARTS
from pipelines.load.loader import load
from pipelines.settings import SAMPLE, sample_as_of

AS_OF = sample_as_of()
MODELS = ("gaps", "load_files", "rejected_lines", *(table.partition(".")[2] for table in MARTS))

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
"""


@contextmanager
def broken_sample(product: Product, *statements: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample's warehouse after these statements.

    `getvariable('victim')` is a participant in progress with at least five changes at different instants, each
    delivered once; `getvariable('victim_of_gap')` is one who has an inferred change that is not the first.
    """
    connection = _sample(product)
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


@cache
def _sample(product: Product) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    load(connection, [SAMPLE])
    product.prepare(connection)
    product.build(connection, *MODELS, as_of=AS_OF)
    connection.execute(VICTIMS)
    return connection
