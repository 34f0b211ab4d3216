"""The few values of a table that stand for all of its values, where a rule looks at one value at a time.

A rule of a column says what a value may be among (and one value more than there may be is proof enough), how long a
text must be (the first in order is empty if any is) or in what range a number or time must lie (the least and the
greatest say it), and whether it may be null (one null says it). DuckDB finds these in the statistics of its blocks, so
that a table of ten million rows need not be handed over row by row.
"""

import duckdb
import polars as pl
from pandera.polars import Column, DataFrameSchema

from pipelines.check.times import clipped

ALLOWED = "allowed_values"


def witnesses(connection: duckdb.DuckDBPyConnection, source: str, schema: DataFrameSchema) -> pl.DataFrame:
    """Values of each of the schema's columns. A row of this frame is no row of the table: `source` has rows."""
    values = [
        connection.sql(_query(source, name, column)).pl().to_series()
        for name, column in ((str(name), column) for name, column in schema.columns.items())
    ]
    height = max(len(series) for series in values)
    return clipped(pl.DataFrame([_filled_up(series, height) for series in values]))


def _query(source: str, name: str, column: Column) -> str:
    quoted = f'"{name}"'
    null = f"(select {quoted} from {source} where {quoted} is null limit 1)"  # noqa: S608
    for check in column.checks:
        if ALLOWED in check.statistics:
            several = len(check.statistics[ALLOWED]) + 1
            return (
                f"(select distinct {quoted} from {source} where {quoted} is not null limit {several}) union all {null}"  # noqa: S608
            )
    if column.dtype.type == pl.String:
        least = f"(select {quoted} from {source} where {quoted} is not null order by {quoted} limit 1)"  # noqa: S608
        return f"{least} union all {null}"
    least, greatest = (
        f"(select {end}({quoted}) as {quoted} from {source} having {end}({quoted}) is not null)"  # noqa: S608
        for end in ("min", "max")
    )
    return f"{least} union all {greatest} union all {null}"


def _filled_up(values: pl.Series, height: int) -> pl.Series:
    """The values again and again: no rule minds."""
    return values.gather([row % len(values) for row in range(height)])
