"""Read `marts.participants` for an export: its columns, its stages and studies, and its rows in order."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from pipelines.errors import StudyflowError
from pipelines.export.cells import Column, row
from pipelines.export.presentation import mart_columns, select_for_people, with_study_names
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


def columns(connection: duckdb.DuckDBPyConnection) -> list[Column]:
    """The columns of the mart, in the order of the files.

    Raises:
        StudyflowError: the marts have not been built.
    """
    for schema, table in (("marts", "participants"), ("reference", "stages")):
        if not has_table(connection, schema, table):
            msg = f"{schema}.{table} is not in the warehouse yet. Make it first: studyflow run"
            raise StudyflowError(msg)
    rank = {name: position for position, name in enumerate(_FIRST)}
    return sorted(mart_columns(connection, "participants"), key=lambda column: rank.get(column.name, len(rank)))


def schema(connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> pa.Schema:
    """The Arrow types of the columns."""
    rows = with_study_names(connection, "participants")
    found = connection.sql(f"select * from {rows} limit 0").to_arrow_table().schema  # noqa: S608
    return pa.schema([found.field(column.name) for column in columns])


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
    connection: duckdb.DuckDBPyConnection,
    columns: list[Column],
    pseudonyms: Pseudonyms | None,
    *,
    with_values: bool,
    for_excel: bool,
) -> Generator[pa.RecordBatch, None, None]:
    """A row for each participant, sorted by study and participant, with STUDY, STAGE and the columns of `lines_of`.

    Raises:
        StudyflowError: DuckDB cannot read or sort the rows.
    """
    participants = with_study_names(connection, "participants")
    also = (f"study_id as {STUDY}", f"current_stage as {STAGE}")
    order = "study_id, participant_id"
    with (
        _explain_errors(),
        lines_of(
            connection,
            participants,
            columns,
            order,
            pseudonyms,
            with_values=with_values,
            for_excel=for_excel,
            also=also,
        ) as reader,
    ):
        yield from reader


@contextmanager
def lines_of(  # noqa: PLR0913 - the parts of a query
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    columns: list[Column],
    order: str,
    pseudonyms: Pseudonyms | None,
    *,
    with_values: bool,
    for_excel: bool,
    also: Iterable[str] = (),
) -> Iterator[pa.RecordBatchReader]:
    """Sorted rows with the whole CSV line (LINE), the columns `also` and, if `with_values`, the columns themselves."""
    values = [column.identifier for column in columns] if with_values else []
    wanted = ", ".join([*also, f"{row(columns, for_excel=for_excel)} as {LINE}", *values])
    with (
        select_for_people(connection, rows, columns, pseudonyms) as named,
        connection.sql(f"select {wanted} from {named} order by {order}").to_arrow_reader(ROWS_AT_ONCE) as reader,  # noqa: S608
    ):
        yield reader


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Turn errors of DuckDB and Arrow into a StudyflowError that names the table."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        msg = f"marts.participants cannot be read. DuckDB says: {error}"
        raise StudyflowError(msg) from error
