"""Derive the pandera schema of a table from its YAML. Its rules look at one column of one row at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from pandera.polars import Check, Column, DataFrameSchema

from pipelines.check.contracts import ColumnContract, TableContract
from pipelines.check.remedies import AFTER_AS_OF, NOT_IN_REFERENCE, REBUILD, WRONG_CLOCK, WRONG_REFERENCE
from pipelines.check.report import LAST_INSTANT, SAMPLE_ROWS

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
REFERENCE_MODEL = "staging.stg_statuses"
"""The model of a reference file. If a value in it is wrong, the file is wrong."""


WORDS = {"<> ''": "is not empty", ">=": "is at least", "between": "is between"}
"""The words for a condition, by the SQL that it begins with in macros/constraints.sql."""


def schema_of(
    contract: TableContract,
    table: str,
    values: Mapping[tuple[str, str], Sequence[str | int]],
    as_of: datetime,
    *,
    is_guaranteed: bool = False,
) -> DataFrameSchema:
    """The schema of a table that was built as of a time. `values`: see `referenced_values`.

    The table may have columns that the contract does not name. With `is_guaranteed`, the schema has only the rules that
    constraints of the warehouse cannot guarantee, and only the columns with such rules.
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


def count_rules(contract: TableContract, unguaranteed: DataFrameSchema) -> int:
    """How many rules about rows a table has: those that its constraints guarantee, and those in `unguaranteed`."""
    guaranteed = sum(
        (not column.may_be_null) + (bool(column.condition) and column.name not in unguaranteed.columns)
        for column in contract.columns
    )
    return guaranteed + sum(len(column.checks) for column in unguaranteed.columns.values())


def _conditions(column: ColumnContract) -> list[Check]:
    """The column's condition from macros/constraints.sql, as a check with the same SQL."""
    if not column.condition:
        return []
    sql, words = next(item for item in WORDS.items() if column.condition.startswith(item[0]))
    holds = pl.sql_expr(f'"{column.name}" {column.condition}')
    rule = column.condition.replace(sql, words)
    return [Check(lambda data: data.lazyframe.select(holds), **_labels(rule, REBUILD))]


def _rules_to_read(
    column: ColumnContract, table: str, values: Mapping[tuple[str, str], Sequence[str | int]], as_of: datetime
) -> list[Check]:
    """The rules that constraints cannot express: they depend on reference tables, as-of, or the webhooks' times."""
    if column.reference:
        to, field = column.reference
        remedy = WRONG_REFERENCE if table == REFERENCE_MODEL else NOT_IN_REFERENCE
        return [Check.isin(values[column.reference], **_labels(f"is in {to}.{field}", remedy))]
    if column.accepted_values:
        return [
            Check.isin(column.accepted_values, **_labels(f"is one of: {', '.join(column.accepted_values)}", REBUILD))
        ]
    match column.data_type:
        case "timestamptz":
            return _within_times(column, as_of)
        case "date" if not column.may_be_after_as_of:
            # The table does not say in which time zone a day begins. The first zone to begin it is 14 hours ahead of
            # UTC.
            last_day = (as_of + timedelta(hours=14)).date()
            return [Check.le(last_day, **_labels("is not after the day of the as-of time", AFTER_AS_OF))]
    return []


def _within_times(column: ColumnContract, as_of: datetime) -> list[Check]:
    latest = Check.le(as_of, **_labels("is not after the as-of time", AFTER_AS_OF))
    if column.may_be_after_as_of:
        latest = Check.lt(LAST_INSTANT, **_labels("is before the end of the year 9999", WRONG_CLOCK))
    if not (least := column.not_before):
        return [latest]
    return [Check.ge(least, **_labels(f"is not before {least:%Y-%m-%d}", WRONG_CLOCK)), latest]


def _labels(rule: str, remedy: str) -> dict[str, Any]:
    """Arguments of a check: its name and remedy, and how many failing rows pandera keeps, which a report shows."""
    return {"name": rule, "description": remedy, "n_failure_cases": SAMPLE_ROWS}
