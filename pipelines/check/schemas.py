"""The pandera schema of a table, derived from what its YAML says. Rules look at one column of one row at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from pandera.polars import Check, Column, DataFrameSchema

from pipelines.check.contracts import ColumnContract, TableContract
from pipelines.check.remedies import AFTER_AS_OF, NOT_IN_REFERENCE, REBUILD, WRONG_CLOCK, WRONG_REFERENCE
from pipelines.check.report import SAMPLE_ROWS
from pipelines.check.times import LAST_INSTANT

TYPES: dict[str, Any] = {
    "varchar": pl.String,
    "boolean": pl.Boolean,
    "smallint": pl.Int16,
    "integer": pl.Int32,
    "bigint": pl.Int64,
    "ubigint": pl.UInt64,
    "double": pl.Float64,
    "date": pl.Date,
    "timestamptz": pl.Datetime("us", "UTC"),
}
MADE_OF_REFERENCE = "staging.stg_statuses"
"""The one table that is wrong where a reference file is."""


WORDS = {"<> ''": "is not empty", ">=": "is at least", "between": "is between"}
"""What is said of a condition, by how it begins in macros/constraints.sql."""


def schema_of(
    contract: TableContract,
    table: str,
    values: Mapping[tuple[str, str], Sequence[str | int]],
    as_of: datetime,
    *,
    is_guaranteed: bool = False,
) -> DataFrameSchema:
    """The schema of a table that was built as of a time. `values` are those of the columns that it refers to.

    Columns that the contract does not name may be there. If `is_guaranteed`, only rules that no constraint of the
    warehouse can have are in the schema, and only the columns that have such rules.
    """
    columns = {}
    for column in contract.columns:
        rules = _rules_to_read(column, table, values, as_of)
        if not is_guaranteed:
            rules = rules or _conditions(column)
            columns[column.name] = Column(TYPES[column.data_type], rules, nullable=column.may_be_null)
        elif rules:
            columns[column.name] = Column(TYPES[column.data_type], rules, nullable=True)
    return DataFrameSchema(columns, name=table, metadata={"key": list(contract.keys[0])})


def count_rules(contract: TableContract, left: DataFrameSchema) -> int:
    """How many rules about rows a table has: those that are `left`, and those that its constraints can guarantee."""
    guaranteed = sum(
        (not column.may_be_null) + (bool(column.condition) and column.name not in left.columns)
        for column in contract.columns
    )
    return guaranteed + sum(len(column.checks) for column in left.columns.values())


def _conditions(column: ColumnContract) -> list[Check]:
    """What macros/constraints.sql says of every value of the column, read from the same SQL."""
    if not column.condition:
        return []
    sql, words = next(said for said in WORDS.items() if column.condition.startswith(said[0]))
    keeps = pl.sql_expr(f'"{column.name}" {column.condition}')
    rule = column.condition.replace(sql, words)
    return [Check(lambda data: data.lazyframe.select(keeps), **_said(rule, REBUILD))]


def _rules_to_read(
    column: ColumnContract, table: str, values: Mapping[tuple[str, str], Sequence[str | int]], as_of: datetime
) -> list[Check]:
    """What must hold for a value of the column, and depends on reference tables, as-of, or what webhooks say."""
    if column.reference:
        to, field = column.reference
        remedy = WRONG_REFERENCE if table == MADE_OF_REFERENCE else NOT_IN_REFERENCE
        return [Check.isin(values[column.reference], **_said(f"is in {to}.{field}", remedy))]
    if column.accepted_values:
        return [Check.isin(column.accepted_values, **_said(f"is one of: {', '.join(column.accepted_values)}", REBUILD))]
    match column.data_type:
        case "timestamptz":
            return [*_earliest(column), _latest(column, as_of)]
        case "date" if not column.meta.get("after_as_of"):
            # Days are cut in a time zone that the table does not say: the first to begin a day is 14 hours ahead of UTC.
            last_day = (as_of + timedelta(hours=14)).date()
            return [Check.le(last_day, **_said("is not after the day of as-of", AFTER_AS_OF))]
    return []


def _earliest(column: ColumnContract) -> list[Check]:
    least = column.not_before
    return [Check.ge(least, **_said(f"is not before {least:%Y-%m-%d}", WRONG_CLOCK))] if least else []


def _latest(column: ColumnContract, as_of: datetime) -> Check:
    if column.meta.get("after_as_of"):
        return Check.lt(LAST_INSTANT, **_said("is before the end of the year 9999", WRONG_CLOCK))
    return Check.le(as_of, **_said("is not after as-of", AFTER_AS_OF))


def _said(rule: str, remedy: str) -> dict[str, Any]:
    """How a failure is told. pandera keeps no more failing rows of its own than a report shows."""
    return {"name": rule, "description": remedy, "n_failure_cases": SAMPLE_ROWS}
