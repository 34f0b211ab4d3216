"""Lines into rows of `raw.deliveries`: DuckDB reads the canonical ones in a stream, and the judge all others, beside it."""

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
from pipelines.load.shapes import Shape
from pipelines.load.wanted import Wanted
from pipelines.load.withhold import Forgotten, forgotten, register_nobody

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
"""A delivery of a line: `raw` is its text, which is all of the line if that is no batch; then what the judge says of it."""

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

MENTIONS = "create or replace temp macro mentions_forgotten(raw) as is_wanted(raw)"


AT_ONCE = 64 << 20
"""How many bytes of lines are put aside before they are taken in, so that they do not fill the memory."""
ROWS_AT_ONCE = 2_000


class Judging:
    """Judges the lines that DuckDB does not take by itself, and puts their deliveries aside, to be taken in later."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape]) -> None:
        self.connection = connection
        self._shapes = shapes
        self._lock = Lock()
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether no more should be put aside."""
        return self._bytes >= AT_ONCE

    def take(self) -> pa.Table:
        """What was put aside."""
        self._pack()
        taken, self._batches, self._bytes = self._batches, [], 0
        return pa.Table.from_batches(taken, JUDGED)

    def set_aside(self, file_id: int, line_number: int, line: bytes) -> bool:
        """Judge a line and put its deliveries aside; false, so that a query leaves it out. Threads of DuckDB call this."""
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
        """Turn rows into a batch, which takes less memory."""
        if self._rows:
            columns = zip(zip(*self._rows, strict=True), JUDGED.types, strict=True)
            self._batches.append(pa.record_batch([pa.array(*column) for column in columns], JUDGED))
            self._rows.clear()


@contextmanager
def judging(
    connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape], everyone: Forgotten | None = None
) -> Iterator[Judging]:
    """Register the function `set_aside` on the connection and, if people were forgotten, `is_wanted`: whether a line names them.

    Enter and leave it outside transactions: when one is rolled back, DuckDB drops the function but keeps its name taken.
    """
    judges = Judging(connection, shapes)
    connection.create_function(
        "set_aside",
        judges.set_aside,
        ["INTEGER", "BIGINT", "BLOB"],
        "BOOLEAN",
        side_effects=True,
    )
    made = ["set_aside"]
    if everyone:
        connection.create_function(
            "is_wanted",
            _is_wanted(everyone),
            ["BLOB"],
            "BOOLEAN",
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=True,
        )
        made.append("is_wanted")
    try:
        yield judges
    finally:
        for name in made:
            connection.remove_function(name)


def _is_wanted(everyone: Forgotten) -> Callable[[pa.Array], pa.Array]:
    """Whether each line names someone who was forgotten; false of none."""
    wanted = Wanted.of([], everyone.salt, [*everyone.people, *everyone.participants])

    def is_wanted(lines: pa.Array) -> pa.Array:
        numbered = enumerate(lines.to_pylist())
        found = {number for number, _ in wanted.among((number, line) for number, line in numbered if line is not None)}
        return pa.array([number in found for number in range(len(lines))], pa.bool_())

    return is_wanted


def judge_lines(connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch]) -> None:
    """Make the view `judged_lines` of the canonical ones of lines, on a connection that is `judging`. It can be read once."""
    connection.register("arriving", pa.RecordBatchReader.from_batches(SCHEMA, batches))
    connection.execute(PARSE)


def kept(
    judges: Judging, batches: Iterable[pa.RecordBatch], statuses: list[str], everyone: Forgotten | None
) -> Iterator[str]:
    """The names of views that together have what is kept of batches of lines.

    Read each, once, before asking for the next.
    """
    connection = judges.connection
    connection.register("known_statuses", pa.table({"status": statuses}))
    if everyone:
        everyone.register_macros(connection)
        connection.execute(MENTIONS)
    else:
        register_nobody(connection)
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
    """Insert deliveries into `raw.deliveries`, and the places of forgotten people's into `raw.forgotten_lines`."""
    connection = judges.connection
    everyone = forgotten(connection)
    for rows in kept(judges, batches, statuses, everyone):
        if everyone:
            connection.execute(f"create temp table arrived as select * from {rows}")  # noqa: S608
            connection.execute(WITHHELD.format(lines="arrived"), {"load_id": load_id})
            connection.execute(INSERT.format(lines="arrived"), {"load_id": load_id})
            connection.execute("drop table arrived")
        else:
            connection.execute(INSERT.format(lines=rows), {"load_id": load_id})
