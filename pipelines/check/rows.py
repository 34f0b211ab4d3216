"""Check the rows of a table against its pandera schema, batch by batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import polars as pl
from pandera.config import ValidationDepth, config_context
from pandera.constants import CHECK_OUTPUT_KEY
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.polars import Check, DataFrameSchema

from pipelines.check.remedies import NEVER_NULL, OTHER_VERSION
from pipelines.check.report import SAMPLE_ROWS, Finding, clip_times

BATCH_ROWS = 500_000
SCHEMA_ERRORS = {SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME, SchemaErrorReason.WRONG_DATATYPE}


@dataclass(frozen=True, slots=True)
class TableResult:
    """The result for one table. If columns or types are wrong (`has_valid_schema` is false), rows were not checked."""

    rows: int
    findings: list[Finding]
    has_valid_schema: bool = True


def register() -> None:
    """Register pandera's backends for polars now; otherwise the first check does this, which takes time."""
    DataFrameSchema.register_default_backends(pl.DataFrame)


def check_table(
    connection: duckdb.DuckDBPyConnection,
    schema: Callable[[], DataFrameSchema],
    unguaranteed: DataFrameSchema | None,
) -> TableResult:
    """Check a table. `unguaranteed`: the rules that its constraints do not guarantee; None if it lacks its constraints.

    Rows are only read if one of the unguaranteed rules is broken, or if the table lacks its constraints.
    """
    if unguaranteed and not _errors(unguaranteed, _extreme_values(connection, unguaranteed)):
        [(rows,)] = connection.execute(f"select count(*) from {unguaranteed.name}").fetchall()  # noqa: S608
        return TableResult(rows, [])
    return check_rows(connection, schema())


def _extreme_values(connection: duckdb.DuckDBPyConnection, schema: DataFrameSchema) -> pl.DataFrame:
    """Values that break every rule that the table breaks: minimum and maximum of times, distinct values of all else."""
    if not schema.columns:
        return pl.DataFrame()
    lists = ", ".join(
        f'unnest([min("{name}"), max("{name}")]) as "{name}"'
        if column.dtype.type.is_temporal()
        else f'unnest(list(distinct "{name}")) as "{name}"'
        for name, column in schema.columns.items()
    )
    return clip_times(connection.sql(f"select {lists} from {schema.name}").pl())  # noqa: S608


def check_rows(
    connection: duckdb.DuckDBPyConnection, schema: DataFrameSchema, batch_rows: int = BATCH_ROWS
) -> TableResult:
    """Check every row of the schema's table, with about `batch_rows` rows in memory at a time."""
    table = str(schema.name)
    rows = 0
    found: dict[str, Finding] = {}
    for batch in _batches(connection, table, [str(column) for column in schema.columns], batch_rows):
        frame = clip_times(batch)
        rows += frame.height
        errors = _errors(schema, frame)
        if schema_findings := [_schema_finding(table, error) for error in errors if error.reason_code in SCHEMA_ERRORS]:
            return TableResult(0, schema_findings, has_valid_schema=False)
        for error in errors:
            finding = _finding(schema, frame, error)
            found[finding.rule] = _merged(found.get(finding.rule), finding)
    return TableResult(rows, list(found.values()))


def _batches(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], batch_rows: int
) -> Iterator[pl.DataFrame]:
    """Those of the columns that the table has, in batches. An empty table gives one empty frame, which has the types."""
    empty = connection.sql(f"from {table} limit 0")
    existing = ", ".join(f'"{column}"' for column in columns if column in empty.columns)
    query = f"select {existing} from {table}"  # noqa: S608
    with connection.sql(query).to_arrow_reader(batch_rows) as reader:
        batch = None
        for batch in reader:
            yield pl.DataFrame(batch)
    if batch is None:
        yield connection.sql(f"{query} limit 0").pl()


def _errors(schema: DataFrameSchema, frame: pl.DataFrame) -> list[SchemaError]:
    """Every broken rule of columns or rows. The configuration here overrides environment variables of pandera."""
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return list(errors.schema_errors)
    return []


def _schema_finding(table: str, error: SchemaError) -> Finding:
    if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
        rule = f"has the column {error.failure_cases}"
    else:
        rule = f"{error.schema.name} has the type {error.schema.dtype}"
    return Finding(table, rule, 1, pl.DataFrame(), OTHER_VERSION)


def _finding(schema: DataFrameSchema, frame: pl.DataFrame, error: SchemaError) -> Finding:
    if error.check_output is None:
        raise error  # the rule could not be evaluated at all
    column = str(error.schema.name)
    broken = frame.filter(error.check_output[CHECK_OUTPUT_KEY].not_())
    rule, remedy = "is never null", NEVER_NULL
    if isinstance(error.check, Check):
        rule, remedy = str(error.check.name), str(error.check.description)
    shown = [name for name in dict.fromkeys([*schema.metadata["key"], column]) if name in frame.columns]
    return Finding(str(schema.name), f"{column} {rule}", broken.height, broken.head(SAMPLE_ROWS).select(shown), remedy)


def _merged(before: Finding | None, now: Finding) -> Finding:
    if before is None:
        return now
    sample = pl.concat([before.sample_rows, now.sample_rows]).head(SAMPLE_ROWS)
    return Finding(now.table, now.rule, before.count + now.count, sample, now.meaning)
