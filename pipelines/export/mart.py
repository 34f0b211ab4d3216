"""`marts.participants` as an export reads it: its columns, its stages and studies, and its rows in order."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext

import duckdb
import pyarrow as pa

from pipelines.errors import StudyflowError
from pipelines.export.cells import Column, row
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.shown import described, with_study_names
from pipelines.warehouse import has_table

# Columns that every batch has beside those of the mart.
STUDY, STAGE, LINE = "export_study", "export_stage", "export_line"
ROWS_AT_ONCE = 10_000

# What a person looks for first. Other columns of the mart follow in its order.
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
        StudyflowError: the marts are not there yet.
    """
    for schema, table in (("marts", "participants"), ("reference", "stages")):
        if not has_table(connection, schema, table):
            msg = f"{schema}.{table} is not in the warehouse yet. Make it first: studyflow run"
            raise StudyflowError(msg)
    rank = {name: position for position, name in enumerate(_FIRST)}
    return sorted(described(connection, "participants"), key=lambda column: rank.get(column.name, len(rank)))


def schema(connection: duckdb.DuckDBPyConnection, shown: list[Column]) -> pa.Schema:
    """The Arrow types of the columns."""
    rows = with_study_names(connection, "participants")
    found = connection.sql(f"select * from {rows} limit 0").to_arrow_table().schema  # noqa: S608
    return pa.schema([found.field(column.name) for column in shown])


def stages(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The name that the table of each stage goes by, in the order of the stages.

    Raises:
        StudyflowError: two stages go by one name.
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
    """How many participants each study has in each stage; the studies in the order of the files.

    Raises:
        StudyflowError: a stage was taken from the reference table after the marts were made, or they cannot be read.
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
    with _explained():
        found = connection.execute(query, {"stages": list(stages)}).fetchall()
    if missing := sum(participants - sum(by_stage) for _, by_stage, participants in found):
        msg = f"{missing} participants are in a stage that reference.stages lacks. Make the marts again: studyflow run"
        raise StudyflowError(msg)
    return {study: tuple(by_stage) for study, by_stage, _ in found}


def query(shown: list[Column], *, with_values: bool, for_excel: bool, of: str) -> str:
    """SQL of every participant once, by study and participant: whole lines of CSV and, `with_values`, the columns."""
    values = "".join(f", {column.identifier}" for column in shown) if with_values else ""
    return f"""
        select study_id as {STUDY}, current_stage as {STAGE}, {row(shown, for_excel=for_excel)} as {LINE}{values}
        from {of}
        order by study_id, participant_id
    """  # noqa: S608


def batches(
    connection: duckdb.DuckDBPyConnection,
    shown: list[Column],
    pseudonyms: Pseudonyms | None,
    *,
    with_values: bool,
    for_excel: bool,
) -> Generator[pa.RecordBatch, None, None]:
    """What the query gives, with pseudonyms in place of ids if there are any.

    Raises:
        StudyflowError: DuckDB cannot read or sort them.
    """
    participants = with_study_names(connection, "participants")
    with (
        _explained(),
        pseudonyms.in_place_of_ids(connection, participants) if pseudonyms else nullcontext(participants) as named,
        connection.sql(query(shown, with_values=with_values, for_excel=for_excel, of=named)).to_arrow_reader(
            ROWS_AT_ONCE
        ) as reader,
    ):
        yield from reader


@contextmanager
def _explained() -> Iterator[None]:
    """Say which table it is that cannot be read.

    Raises:
        StudyflowError: in place of what DuckDB and Arrow raise.
    """
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        msg = f"marts.participants cannot be read. DuckDB says: {error}"
        raise StudyflowError(msg) from error
