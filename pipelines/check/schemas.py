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


def schema_of(
    contract: TableContract, table: str, values: Mapping[tuple[str, str], Sequence[str | int]], as_of: datetime
) -> DataFrameSchema:
    """The schema of a table that was built as of a time. `values` are those of the columns that it refers to.

    Columns that the contract does not name may be there.
    """
    columns = {
        column.name: Column(TYPES[column.data_type], _rules(column, table, values, as_of), nullable=column.may_be_null)
        for column in contract.columns
    }
    return DataFrameSchema(columns, name=table, metadata={"key": list(contract.keys[0])})


def _rules(
    column: ColumnContract, table: str, values: Mapping[tuple[str, str], Sequence[str | int]], as_of: datetime
) -> list[Check]:
    """What a value of the column must be: what the YAML says of it, else what holds for every column of its type."""
    if column.reference:
        to, field = column.reference
        remedy = WRONG_REFERENCE if table == MADE_OF_REFERENCE else NOT_IN_REFERENCE
        return [Check.isin(values[column.reference], **_said(f"is in {to}.{field}", remedy))]
    if column.accepted_values:
        return [Check.isin(column.accepted_values, **_said(f"is one of: {', '.join(column.accepted_values)}", REBUILD))]
    return _rules_of_type(column, as_of)


def _rules_of_type(column: ColumnContract, as_of: datetime) -> list[Check]:
    least = column.at_least or 0
    rules: list[Check] = []
    match column.data_type:
        case "varchar":
            rules = [Check.str_length(min_value=1, **_said("is not empty", REBUILD))]
        case "double" if column.meta.get("unit") == "share":
            rules = [Check.in_range(0, 1, **_said("is between 0 and 1", REBUILD))]
        case "smallint" | "integer" | "bigint" | "double":
            rules = [Check.ge(least, **_said(f"is at least {least}", REBUILD))]
        case "timestamptz":
            rules = [*_earliest(column), _latest(column, as_of)]
        case "date":
            # Days are cut in a time zone that the table does not say: the first to begin a day is 14 hours ahead of UTC.
            last_day = (as_of + timedelta(hours=14)).date()
            rules = [Check.le(last_day, **_said("is no later day than as-of", AFTER_AS_OF))]
    return rules


def _earliest(column: ColumnContract) -> list[Check]:
    least = column.at_least
    return [Check.ge(least, **_said(f"is not before {least:%Y-%m-%d}", WRONG_CLOCK))] if least else []


def _latest(column: ColumnContract, as_of: datetime) -> Check:
    if column.meta.get("after_as_of"):
        return Check.lt(LAST_INSTANT, **_said("is before the end of the year 9999", WRONG_CLOCK))
    return Check.le(as_of, **_said("is not after as-of", AFTER_AS_OF))


def _said(rule: str, remedy: str) -> dict[str, Any]:
    """How a failure is told. pandera keeps no more failing rows of its own than a report shows."""
    return {"name": rule, "description": remedy, "n_failure_cases": SAMPLE_ROWS}
