"""Turn lines into rows of `raw.deliveries`: DuckDB parses canonical lines as a stream, `judge` handles all others."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from pipelines.load.judge import judge
from pipelines.load.lines import SCHEMA
from pipelines.load.search_terms import SearchTerms
from pipelines.load.shapes import Shape
from pipelines.load.withhold import Forgotten

PARSE = (Path(__file__).parent / "parse.sql").read_text(encoding="utf-8")
KEPT_LINES = (Path(__file__).parent / "kept_lines.sql").read_text(encoding="utf-8")

JUDGED = pa.schema(
    [
        *SCHEMA,
        *((name, pa.large_string()) for name in ("outcome", "reason", "event_type", "svix_id")),
        ("received_at", pa.timestamp("us", "UTC")),
        *((name, pa.large_string()) for name in ("participant_id", "person_id", "study_id", "status", "prior_status")),
        ("updated_at", pa.timestamp("us", "UTC")),
        ("says_more", pa.bool_()),
        ("position", pa.int32()),
        ("shape", pa.large_string()),
    ]
)
"""A row per judged delivery. `raw`: its text, which is the whole line unless that is a batch. Then its judgement."""

INSERT = """
insert into raw.deliveries by name
select lines.* exclude (is_withheld), loads.load_id, loads.loaded_at
from {lines} as lines
cross join raw.loads as loads
where not lines.is_withheld and loads.load_id = $load_id
"""

WITHHELD = """
insert into raw.forgotten_lines by name
select file_id, line_number, position, $load_id as load_id from {lines} where is_withheld
"""

MENTIONS = "create or replace temp macro mentions_forgotten(raw) as has_forgotten_id(raw)"
NOBODY = """
create or replace temp macro is_forgotten_person(id) as false;
create or replace temp macro is_forgotten_participant(id) as false;
create or replace temp macro mentions_forgotten(raw) as false;
"""
"""The macros of withhold.sql and `MENTIONS` for a warehouse in which nobody was forgotten."""

BYTES_AT_ONCE = 64 << 20
"""How many bytes of lines are set aside before they are inserted, to limit memory."""
ROWS_AT_ONCE = 2_000


class Judging:
    """Judges lines that are not canonical while DuckDB streams the others, and collects their deliveries for later."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape], forgotten_people: Forgotten | None
    ) -> None:
        self.connection = connection
        self.forgotten_people = forgotten_people
        self._shapes = shapes
        self._lock = Lock()
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the deliveries that were set aside should be inserted before more lines are read."""
        return self._bytes >= BYTES_AT_ONCE

    def take(self) -> pa.Table:
        """Remove and return the deliveries that were set aside, with the schema `JUDGED`."""
        self._pack()
        taken, self._batches, self._bytes = self._batches, [], 0
        return pa.Table.from_batches(taken, JUDGED)

    def set_aside(self, file_id: int, line_number: int, line: bytes) -> bool:
        """Judge a line and set its deliveries aside. Called by threads of DuckDB as a filter; false drops the line."""
        rows = [
            (file_id, line_number, line if one.text is None and not one.position else one.text, *one[:-1])
            for one in judge(line, self._shapes)
            if one.outcome != "blank"
        ]
        with self._lock:
            self._rows += rows
            self._bytes += len(line)
            if len(self._rows) >= ROWS_AT_ONCE:
                self._pack()
        return False

    def _pack(self) -> None:
        """Convert the collected rows to an Arrow batch, which needs less memory."""
        if self._rows:
            columns = zip(zip(*self._rows, strict=True), JUDGED.types, strict=True)
            self._batches.append(pa.record_batch([pa.array(*column) for column in columns], JUDGED))
            self._rows.clear()


@contextmanager
def judging(
    connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape], forgotten_people: Forgotten | None = None
) -> Iterator[Judging]:
    """Register `set_aside`, and the macros that say who was forgotten: nobody, if `forgotten_people` is None.

    Enter and leave this outside a transaction: after a rollback, DuckDB has dropped the function but its name stays
    taken.
    """
    judges = Judging(connection, shapes, forgotten_people)
    connection.create_function(
        "set_aside", judges.set_aside, ["INTEGER", "BIGINT", "BLOB"], "BOOLEAN", side_effects=True
    )
    if forgotten_people:
        connection.create_function(
            "has_forgotten_id",
            _has_forgotten_id(forgotten_people),
            ["BLOB"],
            "BOOLEAN",
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=True,
        )
    try:
        if forgotten_people:
            forgotten_people.register_macros(connection)
        connection.execute(MENTIONS if forgotten_people else NOBODY)
        yield judges
    finally:
        connection.remove_function("set_aside")
        if forgotten_people:
            connection.remove_function("has_forgotten_id")


def _has_forgotten_id(forgotten_people: Forgotten) -> Callable[[pa.Array], pa.Array]:
    """A function that says for each line whether it names someone who was forgotten; false for null."""
    terms = SearchTerms.of([], forgotten_people.salt, [*forgotten_people.people, *forgotten_people.participants])

    def has_forgotten_id(lines: pa.Array) -> pa.Array:
        numbered = ((number, line) for number, line in enumerate(lines.to_pylist()) if line is not None)
        found = {number for number, _ in terms.filter_lines(numbered)}
        return pa.array([number in found for number in range(len(lines))], pa.bool_())

    return has_forgotten_id


def judge_lines(connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch]) -> None:
    """Create the view `judged_lines` of canonical lines, on a connection that is `judging`. It can be read once."""
    connection.register("arriving", pa.RecordBatchReader.from_batches(SCHEMA, batches))
    connection.execute(PARSE)


def kept_rows(judges: Judging, batches: Iterable[pa.RecordBatch], statuses: list[str]) -> Iterator[str]:
    """The names of views with the rows to insert for batches of lines; rows of forgotten people are marked.

    For use inside `judging`. Read each view once, before asking for the next.
    """
    connection = judges.connection
    connection.register("known_statuses", pa.table({"status": statuses}))
    rest = iter(batches)
    is_at_end = False

    def some() -> Iterator[pa.RecordBatch]:
        nonlocal is_at_end
        for batch in rest:
            yield batch
            if judges.is_full:
                return
        is_at_end = True

    while not is_at_end:
        judge_lines(connection, some())
        connection.execute(KEPT_LINES.format(rows="lines"))
        yield "kept_lines"
        if put_aside := judges.take():
            connection.register("judged_others", put_aside)
            connection.execute(KEPT_LINES.format(rows="others"))
            yield "kept_others"
            connection.unregister("judged_others")
    connection.unregister("known_statuses")
    connection.unregister("arriving")


def insert(judges: Judging, batches: Iterable[pa.RecordBatch], load_id: int, statuses: list[str]) -> None:
    """Insert deliveries into `raw.deliveries`, and the positions of forgotten people's into `raw.forgotten_lines`."""
    connection = judges.connection
    for rows in kept_rows(judges, batches, statuses):
        if judges.forgotten_people:
            connection.execute(f"create temp table arrived as select * from {rows}")  # noqa: S608
            connection.execute(WITHHELD.format(lines="arrived"), {"load_id": load_id})
            connection.execute(INSERT.format(lines="arrived"), {"load_id": load_id})
            connection.execute("drop table arrived")
        else:
            connection.execute(INSERT.format(lines=rows), {"load_id": load_id})
