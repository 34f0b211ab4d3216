"""Each row of a table against its schema, batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import polars as pl
from pandera.config import ValidationDepth, config_context
from pandera.constants import CHECK_OUTPUT_KEY
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.polars import Check, DataFrameSchema

from pipelines.check.meanings import NEVER_NULL, OTHER_VERSION
from pipelines.check.report import SAMPLE_ROWS, Finding
from pipelines.check.times import clipped


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one table. Unsound: its columns are others, so that its rows were not looked at."""

    rows: int
    findings: list[Finding]
    is_sound: bool = True


def check_rows(connection: duckdb.DuckDBPyConnection, schema: DataFrameSchema, batch_rows: int) -> Checked:
    """Every row of the schema's table, with at most about `batch_rows` of them in memory at a time."""
    table = str(schema.name)
    columns = connection.sql(f"from {table} limit 0").pl()
    if misfits := [_misfit(table, error) for error in _errors(schema, columns, ValidationDepth.SCHEMA_ONLY)]:
        return Checked(0, misfits, is_sound=False)
    rows = 0
    found: dict[str, Finding] = {}
    for batch in _batches(connection, table, _columns_to_read(schema), batch_rows):
        frame = clipped(batch)
        rows += frame.height
        for error in _errors(schema, frame, ValidationDepth.DATA_ONLY):
            finding = _finding(schema, frame, error)
            found[finding.rule] = _merged(found.get(finding.rule), finding)
    return Checked(rows, list(found.values()))


def _columns_to_read(schema: DataFrameSchema) -> list[str]:
    of_rules = [column for check in schema.checks for column in check.statistics["columns"]]
    return list(dict.fromkeys([*schema.metadata["key"], *schema.columns, *of_rules]))


def _batches(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], batch_rows: int
) -> Iterator[pl.DataFrame]:
    quoted = ", ".join(f'"{column}"' for column in columns)
    for batch in connection.sql(f"select {quoted} from {table}").to_arrow_reader(batch_rows):  # noqa: S608
        yield pl.DataFrame(batch)


def count_rules(schema: DataFrameSchema) -> int:
    """How many rules about rows a schema has."""
    columns = schema.columns.values()
    return len(schema.checks) + sum(len(column.checks) + (not column.nullable) for column in columns)


def _errors(schema: DataFrameSchema, frame: pl.DataFrame, depth: ValidationDepth) -> list[SchemaError]:
    """Every rule that the columns or the rows break. PANDERA_… in the environment turns none of them off."""
    with config_context(validation_enabled=True, validation_depth=depth):
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return list(errors.schema_errors)
    return []


def _misfit(table: str, error: SchemaError) -> Finding:
    if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
        rule = f"has the column {error.failure_cases}"
    else:
        rule = f"{error.schema.name} has the type {error.schema.dtype}"
    return Finding(table, rule, 1, pl.DataFrame(), OTHER_VERSION)


def _finding(schema: DataFrameSchema, frame: pl.DataFrame, error: SchemaError) -> Finding:
    if error.check_output is None:
        raise error  # the rule could not be evaluated at all
    broken = frame.filter(error.check_output[CHECK_OUTPUT_KEY].not_())
    rule, meaning, columns = "is never null", NEVER_NULL, [str(error.schema.name)]
    if isinstance(error.check, Check):
        rule, meaning = str(error.check.name), str(error.check.description)
    if error.schema is schema:
        columns = error.check.statistics["columns"]
    else:
        rule = f"{error.schema.name} {rule}"
    shown = list(dict.fromkeys([*schema.metadata["key"], *columns]))
    return Finding(str(schema.name), rule, broken.height, broken.head(SAMPLE_ROWS).select(shown), meaning)


def _merged(before: Finding | None, now: Finding) -> Finding:
    if before is None:
        return now
    sample = pl.concat([before.sample_rows, now.sample_rows]).head(SAMPLE_ROWS)
    return Finding(now.table, now.rule, before.count + now.count, sample, now.meaning)
