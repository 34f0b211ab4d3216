"""Lines into rows of `raw.deliveries`: DuckDB reads the canonical ones, the judge all others, in one stream."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from pipelines.load.judge import Judgement, judge
from pipelines.load.lines import SCHEMA
from pipelines.load.wanted import Wanted
from pipelines.load.withhold import Forgotten, forgotten, register_nobody

PARSE = (Path(__file__).parent / "parse.sql").read_text(encoding="utf-8")
KEPT_LINES = (Path(__file__).parent / "kept_lines.sql").read_text(encoding="utf-8")

TYPES = {
    name: "TIMESTAMPTZ" if name in {"received_at", "updated_at"} else "BOOLEAN" if name == "says_more" else "VARCHAR"
    for name in Judgement._fields
}
ARROW_TYPES = {"VARCHAR": pa.large_string(), "TIMESTAMPTZ": pa.timestamp("us", "UTC"), "BOOLEAN": pa.bool_()}

INSERT = """
insert into raw.deliveries by name
select lines.* exclude (is_withheld), loads.load_id, loads.loaded_at
from {lines} as lines
cross join raw.loads as loads
where not lines.is_withheld and loads.load_id = $load_id
"""

WITHHELD = "insert into raw.forgotten_lines select file_id, line_number, $load_id from arrived where is_withheld"


MENTIONS = "create or replace temp macro mentions_forgotten(raw) as is_wanted(raw)"


@contextmanager
def judging(connection: duckdb.DuckDBPyConnection, everyone: Forgotten | None = None) -> Iterator[None]:
    """Register the function `judge` on the connection and, if people were forgotten, `is_wanted`: whether a line names them.

    Enter and leave it outside transactions: when one is rolled back, DuckDB drops the function but keeps its name taken.
    """
    fields = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    # It has no side effects, but DuckDB would call it again for each field.
    connection.create_function(
        "judge", _judge_all, ["BLOB"], f"STRUCT({fields})", type=PythonUDFType.ARROW, side_effects=True
    )
    made = ["judge"]
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
        yield
    finally:
        for name in made:
            connection.remove_function(name)


def _judge_all(lines: pa.Array) -> pa.StructArray:
    columns = zip(*map(judge, lines.to_pylist()), strict=True)
    arrays = [pa.array(column, ARROW_TYPES[kind]) for column, kind in zip(columns, TYPES.values(), strict=True)]
    return pa.StructArray.from_arrays(arrays, names=list(TYPES))


def _is_wanted(everyone: Forgotten) -> Callable[[pa.Array], pa.Array]:
    """Whether each line names someone who was forgotten; false of none."""
    wanted = Wanted.of([], everyone.salt, [*everyone.people, *everyone.participants])

    def is_wanted(lines: pa.Array) -> pa.Array:
        numbered = enumerate(lines.to_pylist())
        found = {number for number, _ in wanted.among((number, line) for number, line in numbered if line is not None)}
        return pa.array([number in found for number in range(len(lines))], pa.bool_())

    return is_wanted


def judge_lines(connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch]) -> None:
    """Make the view `judged_lines` of batches of lines, on a connection that is `judging`. It can be read once."""
    connection.register("arriving", pa.RecordBatchReader.from_batches(SCHEMA, batches))
    connection.execute(PARSE)


def keep_lines(
    connection: duckdb.DuckDBPyConnection,
    batches: Iterable[pa.RecordBatch],
    statuses: list[str],
    everyone: Forgotten | None,
) -> None:
    """Make the view `kept_lines` of batches of lines, on a connection that is `judging`. It can be read once."""
    judge_lines(connection, batches)
    connection.register("known_statuses", pa.table({"status": statuses}))
    if everyone:
        everyone.register_macros(connection)
        connection.execute(MENTIONS)
    else:
        register_nobody(connection)
    connection.execute(KEPT_LINES)


def insert(
    connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch], load_id: int, statuses: list[str]
) -> None:
    """Insert lines into `raw.deliveries`, and the places of forgotten people's lines into `raw.forgotten_lines`."""
    everyone = forgotten(connection)
    keep_lines(connection, batches, statuses, everyone)
    if everyone:
        connection.execute("create temp table arrived as select * from kept_lines")
        connection.execute(WITHHELD, {"load_id": load_id})
        connection.execute(INSERT.format(lines="arrived"), {"load_id": load_id})
        connection.execute("drop table arrived")
    else:
        connection.execute(INSERT.format(lines="kept_lines"), {"load_id": load_id})
    connection.unregister("known_statuses")
    connection.unregister("arriving")
