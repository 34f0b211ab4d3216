"""Spark's tasks load what DuckDB's loader does: the same rows, numbers, reasons, ledger and problems, load after load.

One session for all of it, of one thread. It is skipped where the extra `studyflow[spark]` or Java is missing.
"""

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from awkward_lines import AWKWARD
from inbox import compressed
from object_store import ObjectStore, environment_of, serving
from strategies import valid_but

from pipelines.load.ledger import COLUMNS
from pipelines.load.load_result import LoadResult
from pipelines.load.loader import load
from pipelines.load.shapes import Shape, sort_shapes
from pipelines.object_paths import RawPath
from pipelines.reference import known_shapes
from pipelines.settings import PROJECT
from pipelines.spark.loading import SparkLoader
from pipelines.spark.session import missing, session
from pipelines.warehouse import connect, raw_tables_ddl

FIXTURES = PROJECT / "tests" / "fixtures"
needs_spark = pytest.mark.skipif(bool(missing()), reason=f"needs {' and '.join(missing())}")

OF_FILES = ", ".join(column for column in COLUMNS if column != "read_ns")
COMPARED = {
    "deliveries": "* exclude (loaded_at)",
    "files": OF_FILES,
    "loads": "load_id",
    "withdrawals": "*",
    "forgotten_lines": "*",
}


@dataclass
class TwoWarehouses:
    """One folder of files, and two warehouses: of DuckDB's loader, and of Spark's."""

    folder: Path
    loader: SparkLoader
    on_duckdb: duckdb.DuckDBPyConnection
    on_spark: duckdb.DuckDBPyConnection
    store: ObjectStore
    written: int = field(default=0)

    def put(self, name: str, content: bytes) -> None:
        """Write a file, compressed if its name says so."""
        path = self.folder / name
        path.write_bytes(compressed(name, content))
        self.written += 1
        os.utime(path, ns=(0, 1_700_000_000_000_000_000 + self.written * 1_000_000_000))

    def load(self, *beside: RawPath) -> LoadResult:
        """Load what is new into both, and see that they agree; what the load did."""
        paths = [self.folder, *beside]
        ours, theirs = load(self.on_duckdb, paths), self.loader.load(self.on_spark, paths)
        assert ours.as_dict() == theirs.as_dict()
        for table, columns in COMPARED.items():
            rows = [_rows(connection, table, columns) for connection in (self.on_duckdb, self.on_spark)]
            assert rows[0] == rows[1], table
        return ours


def _rows(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from raw.{table} order by all").fetchall()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWarehouses]:
    """Nothing is loaded yet."""
    folder = tmp_path_factory.mktemp("it's on spark")
    (folder / "inbox").mkdir()
    settings = {
        "STUDYFLOW_SPARK_FOLDER": str(folder / "tables"),
        "STUDYFLOW_SPARK_MASTER": "local[1]",
        "STUDYFLOW_SPARK_MEMORY": "512m",
        "STUDYFLOW_SPARK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
    }
    with ExitStack() as opened:
        store = opened.enter_context(serving())
        opened.enter_context(patch.dict(os.environ, settings | environment_of(store)))
        ours, theirs = (opened.enter_context(connect(folder / f"{name}.duckdb")) for name in ("duckdb", "spark"))
        for connection in (ours, theirs):
            connection.execute(raw_tables_ddl())
        loader = SparkLoader(opened.enter_context(session()), folder / "lines", part_bytes=1)
        yield TwoWarehouses(folder / "inbox", loader, ours, theirs, store)


def lines(first: int, last: int) -> bytes:
    """Whole lines, each a change of a participant of its own."""
    return b"".join(
        valid_but(participantId=f"p{number}", personId=f"person-{number}") + b"\n" for number in range(first, last)
    )


@needs_spark
def test_load_after_load(both: TwoWarehouses) -> None:
    """Files of every kind, then what becomes of them: each step on what the ones before it left."""
    both.put("a.jsonl", b"\n".join(AWKWARD) + b"\n" + lines(0, 5))
    both.put("large.jsonl", lines(100, 14_000))  # several parts
    both.put("packed.jsonl.gz", lines(200, 210) + b"\r\n \n")
    both.put("packed.jsonl.zst", lines(210, 220))
    both.put("open.jsonl", lines(10, 12) + lines(12, 13)[:-1])  # the last line is whole, but for its end
    both.put("pending.jsonl", lines(20, 22) + lines(22, 23)[:40])
    both.put("empty.jsonl", b"")
    for path in (FIXTURES / "shapes").iterdir():  # batches and envelopes
        both.put(path.name, path.read_bytes())
    both.put("broken.jsonl.gz", b"")
    both.folder.joinpath("broken.jsonl.gz").write_bytes(gzip.compress(lines(0, 50))[:-30])
    assert "broken" in str(both.load().problems)
    [parts] = both.on_spark.execute(
        "select count(*) from glob($1)", [f"{both.loader.folder}/part-*/*.parquet"]
    ).fetchall()
    assert parts[0] > 6, "the large file was one part"

    both.folder.joinpath("broken.jsonl.gz").unlink()
    both.put("large.jsonl", lines(100, 14_010))
    both.put("open.jsonl", lines(10, 14))
    both.put("pending.jsonl", lines(20, 24))
    assert both.load().files_grown == 3

    both.put("a.jsonl", lines(0, 3))  # rewritten: some lines of it come again, others are kept
    both.folder.joinpath("packed.jsonl.gz").unlink()
    both.folder.joinpath("packed.jsonl.zst").rename(both.folder / "moved.jsonl.zst")
    assert both.load().files_rewritten == 1

    both.put("again.jsonl", lines(200, 205) + lines(3, 5))  # of the file that vanished, and of the rewritten one
    both.load()
    both.put("again.jsonl", lines(200, 205) + lines(3, 5) + lines(205, 210) + b"\r\n \n")
    both.load()
    left = both.on_spark.execute("select count(*) from parquet.parts semi join raw.files using (file_id)").fetchall()
    assert left == both.on_spark.execute("select count(distinct (file_id, load_id)) from raw.deliveries").fetchall()

    for connection in (both.on_duckdb, both.on_spark):
        connection.execute(
            "insert into raw.forgotten select 'salt', 'x', 'person', sha256('salt' || 'person-301'), now()"
        )
    mention = valid_but(participantId="p400", note="asked by person-301") + b"\n"
    both.put("later.jsonl", lines(300, 303) + mention + b"no JSON person-301\n")
    both.load()
    assert both.on_spark.execute("select count(*) from raw.forgotten_lines").fetchall() == [(2,)]
    assert both.load().lines_read == 0

    both.store.new_bucket()
    in_store = both.store.path("raw/")
    both.store.put({"raw/a.jsonl": lines(20_000, 34_000), "raw/b.jsonl.gz": compressed("b.jsonl.gz", lines(600, 610))})
    assert both.load(in_store).lines_read == 14_010
    both.store.put({"raw/a.jsonl": lines(20_000, 34_005), "raw/c.jsonl": lines(610, 620)})
    both.store.refused["raw/c.jsonl"] = ("403 Forbidden", "AccessDenied")
    assert both.load(in_store).lines_read == 5

    both.put(
        "mine.jsonl",
        b"".join(b'{"mine": [' + line[:-1] + b", 1]}\n" for line in lines(500, 503).splitlines(keepends=True)),
    )
    both.load()
    mine = sort_shapes([*known_shapes(), Shape("mine", (), ("mine",))])
    with patch("pipelines.load.loader.known_shapes", lambda: mine):
        both.load()  # judged again, what was rejected before
    assert both.on_spark.execute(
        "select count(*), max(position) from raw.deliveries where shape = 'mine'"
    ).fetchall() == [(6, 2)]
