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
from pipelines.check.scope import EVERYTHING, Scope
from pipelines.check.times import clipped
from pipelines.check.witnesses import witnesses

FEW_ROWS = 20_000
"""So many are read quicker than one asks what may be wrong with them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one table. Unsound: its columns are others, so that its rows were not looked at."""

    rows: int
    findings: list[Finding]
    is_sound: bool = True


def check_rows(
    connection: duckdb.DuckDBPyConnection, schema: DataFrameSchema, batch_rows: int, scope: Scope = EVERYTHING
) -> Checked:
    """Every row of the schema's table, with at most about `batch_rows` of them in memory at a time.

    Of a table of more than a few rows, only what breaks a rule is read with all that is to be shown of it.
    """
    table = str(schema.name)
    source = scope.of(table)
    columns = connection.sql(f"from {source} limit 0").pl()
    if misfits := [_misfit(table, error) for error in _errors(schema, columns, ValidationDepth.SCHEMA_ONLY)]:
        return Checked(0, misfits, is_sound=False)
    [(rows,)] = connection.execute(f"select count(*) from {source}").fetchall()  # noqa: S608
    suspect = _suspect(connection, source, schema, batch_rows) if rows > min(batch_rows, FEW_ROWS) else schema
    if not (suspect.columns or suspect.checks):
        return Checked(rows, [])
    found: dict[str, Finding] = {}
    for batch in _batches(connection, source, _columns_to_show(suspect), batch_rows):
        frame = clipped(batch)
        for error in _errors(suspect, frame, ValidationDepth.DATA_ONLY):
            finding = _finding(suspect, frame, error)
            found[finding.rule] = _merged(found.get(finding.rule), finding)
    return Checked(rows, list(found.values()))


def _suspect(
    connection: duckdb.DuckDBPyConnection, source: str, schema: DataFrameSchema, batch_rows: int
) -> DataFrameSchema:
    """The columns and rules over several columns of which some row breaks a rule, found without the other columns."""
    of_columns = _narrowed(schema, set(schema.columns), set())
    errors = _errors(of_columns, witnesses(connection, source, of_columns), ValidationDepth.DATA_ONLY)
    columns = {str(error.schema.name) for error in errors}
    rules: set[str] = set()
    if schema.checks:
        hold = [check.statistics["holds"].all().alias(str(check.name)) for check in schema.checks]
        for frame in _batches(connection, source, _columns_of_rules(schema), batch_rows):
            [held] = frame.select(hold).to_dicts()
            rules |= {rule for rule in held if not held[rule]}
    return _narrowed(schema, columns, rules)


def _narrowed(schema: DataFrameSchema, columns: set[str], rules: set[str]) -> DataFrameSchema:
    return DataFrameSchema(
        {name: column for name, column in schema.columns.items() if name in columns},
        checks=[check for check in schema.checks if check.name in rules],
        name=schema.name,
        metadata=schema.metadata,
    )


def _columns_of_rules(schema: DataFrameSchema) -> list[str]:
    return list(dict.fromkeys(column for check in schema.checks for column in check.statistics["columns"]))


def _columns_to_show(schema: DataFrameSchema) -> list[str]:
    return list(dict.fromkeys([*schema.metadata["key"], *schema.columns, *_columns_of_rules(schema)]))


def _batches(
    connection: duckdb.DuckDBPyConnection, source: str, columns: list[str], batch_rows: int
) -> Iterator[pl.DataFrame]:
    quoted = ", ".join(f'"{column}"' for column in columns)
    for batch in connection.sql(f"select {quoted} from {source}").to_arrow_reader(batch_rows):  # noqa: S608
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
