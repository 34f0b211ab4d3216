"""Read `marts.participants` for an export: its columns, its stages and studies, and its rows in order."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import duckdb
import pyarrow as pa

from pipelines.errors import StudyflowError
from pipelines.export.cells import row
from pipelines.export.options import ExportOptions
from pipelines.export.presentation import Relation, presented
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.warehouse import has_table

# Columns that every batch has in addition to those of the mart.
STUDY, STAGE, LINE = "export_study", "export_stage", "export_line"
ROWS_AT_ONCE = 10_000

# The first columns of the files. The other columns of the mart follow in its order.
_FIRST = (
    "study_id",
    "study_name",
    "participant_id",
    "person_id",
    "current_stage",
    "current_status_label",
    "status_since",
    "incentive_status",
    "furthest_step",
    "first_seen_at",
    "last_changed_at",
    "status_changes",
    "missing_changes",
)


def participants(connection: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms | None) -> Relation:
    """The mart, with its columns in the order of the files.

    Raises:
        StudyflowError: the marts have not been built.
    """
    for schema, table in (("marts", "participants"), ("reference", "stages")):
        if not has_table(connection, schema, table):
            msg = f"{schema}.{table} is not in the warehouse yet. Make it first: studyflow run"
            raise StudyflowError(msg)
    return replace(presented(connection, "participants", pseudonyms, _FIRST), order="study_id, participant_id")


def schema(connection: duckdb.DuckDBPyConnection, relation: Relation) -> pa.Schema:
    """The Arrow types of the columns."""
    return connection.sql(f"from {relation.sql} limit 0").to_arrow_table().schema


def stages(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The name of the file for each stage, in the order of the stages.

    Raises:
        StudyflowError: two stages have the same name.
    """
    found = connection.execute("""
        select stage, coalesce(export_name, replace(lower(stage), ' ', '_'))
        from reference.stages
        order by stage_order, stage
    """).fetchall()
    for stage, name in found:
        if [other for other, its_name in found if its_name == name] != [stage]:
            msg = f"data/reference/stages.csv: export_name {name!r} appears twice. Give each stage a name of its own."
            raise StudyflowError(msg)
    return {str(stage): str(name) for stage, name in found}


def counts(connection: duckdb.DuckDBPyConnection, stages: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The number of participants in each of the `stages`, by study; studies are in the order of the files.

    Raises:
        StudyflowError: the marts have a stage that was removed from the reference table, or they cannot be read.
    """
    query = """
        select study_id, [coalesce(by_stage[stage], 0) for stage in $stages], participants
        from (
            select study_id, histogram(current_stage) as by_stage, count(*) as participants
            from marts.participants
            group by study_id
        )
        order by study_id
    """
    with _explain_errors():
        found = connection.execute(query, {"stages": list(stages)}).fetchall()
    if missing := sum(participants - sum(by_stage) for _, by_stage, participants in found):
        msg = f"{missing} participants are in a stage that reference.stages lacks. Make the marts again: studyflow run"
        raise StudyflowError(msg)
    return {study: tuple(by_stage) for study, by_stage, _ in found}


def batches(
    connection: duckdb.DuckDBPyConnection, participants: Relation, options: ExportOptions
) -> Generator[pa.RecordBatch, None, None]:
    """A row for each participant, sorted by study and participant, with STUDY, STAGE and the columns of `lines_of`.

    Raises:
        StudyflowError: DuckDB cannot read or sort the rows.
    """
    also = (f"study_id as {STUDY}", f"current_stage as {STAGE}")
    with _explain_errors(), lines_of(connection, participants, options, also) as reader:
        yield from reader


def lines_of(
    connection: duckdb.DuckDBPyConnection, relation: Relation, options: ExportOptions, also: Iterable[str] = ()
) -> pa.RecordBatchReader:
    """Sorted rows with the whole CSV line (LINE), the columns `also` and, for Parquet, the columns themselves."""
    values = [column.identifier for column in relation.columns] if options.parquet else []
    wanted = ", ".join([*also, f"{row(relation.columns, for_excel=options.excel)} as {LINE}", *values])
    return connection.sql(f"select {wanted} from {relation.sql} order by {relation.order}").to_arrow_reader(  # noqa: S608
        ROWS_AT_ONCE
    )


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Turn errors of DuckDB and Arrow into a StudyflowError that names the table."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        msg = f"marts.participants cannot be read. DuckDB says: {error}"
        raise StudyflowError(msg) from error
