"""Lines into rows of `raw.deliveries`: DuckDB reads the canonical ones, the judge all others, in one stream."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from pipelines.load.judge import BLANK, Judgement, judge
from pipelines.load.lines import SCHEMA
from pipelines.load.shapes import Shape
from pipelines.load.wanted import Wanted
from pipelines.load.withhold import Forgotten, forgotten, register_nobody

PARSE = (Path(__file__).parent / "parse.sql").read_text(encoding="utf-8")
KEPT_LINES = (Path(__file__).parent / "kept_lines.sql").read_text(encoding="utf-8")

TYPES = dict.fromkeys(Judgement._fields, "VARCHAR") | {
    **dict.fromkeys(("received_at", "updated_at"), "TIMESTAMPTZ"),
    "says_more": "BOOLEAN",
    "position": "INTEGER",
    "text": "BLOB",
}
ARROW_TYPES = {
    "VARCHAR": pa.large_string(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BLOB": pa.large_binary(),
}

INSERT = """
insert into raw.deliveries by name
select lines.* exclude (is_withheld), loads.load_id, loads.loaded_at
from {lines} as lines
cross join raw.loads as loads
where not lines.is_withheld and loads.load_id = $load_id
"""

WITHHELD = """
insert into raw.forgotten_lines by name
select file_id, line_number, position, $load_id as load_id from arrived where is_withheld
"""

MENTIONS = "create or replace temp macro mentions_forgotten(raw) as is_wanted(raw)"


AT_ONCE = 1 << 19
"""How many deliveries of batches are put aside before they are taken in, so that they do not fill the memory."""


class Judging:
    """What judges the lines that DuckDB does not take by itself. It puts the deliveries of batches aside, to be taken in later."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape]) -> None:
        self.connection = connection
        self._shapes = shapes
        self._aside: list[pa.RecordBatch] = []

    @property
    def is_full(self) -> bool:
        """Whether no more should be put aside."""
        return sum(map(len, self._aside)) >= AT_ONCE

    def take(self) -> pa.Table | None:
        """What was put aside, as `judged_lines` has it; None if there is nothing."""
        taken, self._aside = self._aside, []
        return pa.Table.from_batches(taken) if taken else None

    def judge(self, file_ids: pa.Array, numbers: pa.Array, lines: pa.Array) -> pa.StructArray:
        """The judgement of each line; of a batch, that it is blank."""
        judged = [judge(line, self._shapes) for line in lines.to_pylist()]
        batches = [place for place, one in enumerate(judged) if one[0].position]
        for place in batches:
            deliveries = judged[place]
            made = dict(zip(TYPES, _columns(deliveries), strict=True))
            made |= {
                name: pa.repeat(of[place], len(deliveries))
                for name, of in (("file_id", file_ids), ("line_number", numbers))
            }
            made["raw"] = made.pop("text")
            self._aside.append(pa.RecordBatch.from_pydict(made))
            judged[place] = [BLANK]
        return pa.StructArray.from_arrays(_columns([only for [only] in judged]), names=list(TYPES))


def _columns(judgements: list[Judgement]) -> list[pa.Array]:
    columns = zip(*judgements, strict=True)
    return [pa.array(column, ARROW_TYPES[kind]) for column, kind in zip(columns, TYPES.values(), strict=True)]


@contextmanager
def judging(
    connection: duckdb.DuckDBPyConnection, shapes: Sequence[Shape], everyone: Forgotten | None = None
) -> Iterator[Judging]:
    """Register the function `judge` on the connection and, if people were forgotten, `is_wanted`: whether a line names them.

    Enter and leave it outside transactions: when one is rolled back, DuckDB drops the function but keeps its name taken.
    """
    judges = Judging(connection, shapes)
    fields = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    # It has no side effects on what it is asked, but DuckDB would call it again for each field.
    connection.create_function(
        "judge",
        judges.judge,
        ["INTEGER", "BIGINT", "BLOB"],
        f"STRUCT({fields})",
        type=PythonUDFType.ARROW,
        side_effects=True,
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
    """Make the view `judged_lines` of batches of lines, on a connection that is `judging`. It can be read once."""
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
            connection.register("judged_batches", put_aside)
            connection.execute(KEPT_LINES.format(rows="batches"))
            yield "kept_batches"
            connection.unregister("judged_batches")
    connection.unregister("known_statuses")
    connection.unregister("arriving")


def insert(judges: Judging, batches: Iterable[pa.RecordBatch], load_id: int, statuses: list[str]) -> None:
    """Insert deliveries into `raw.deliveries`, and the places of forgotten people's into `raw.forgotten_lines`."""
    connection = judges.connection
    everyone = forgotten(connection)
    for rows in kept(judges, batches, statuses, everyone):
        if everyone:
            connection.execute(f"create temp table arrived as select * from {rows}")  # noqa: S608
            connection.execute(WITHHELD, {"load_id": load_id})
            connection.execute(INSERT.format(lines="arrived"), {"load_id": load_id})
            connection.execute("drop table arrived")
        else:
            connection.execute(INSERT.format(lines=rows), {"load_id": load_id})
