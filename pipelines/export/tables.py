"""Tables as files: rows arrive in order as Arrow batches and are cut by stage."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.export.mart import LINE, STAGE
from pipelines.export.options import Format

EVERYONE = "participants"

ROW_GROUP = 50_000


class CsvTable:
    """The column LINE holds whole lines as bytes of UTF-8, so they are copied as they lie."""

    def __init__(self, file: IO[bytes], header: bytes) -> None:
        self.file = file
        file.write(header)

    def write(self, rows: pa.RecordBatch) -> None:
        """Add the rows."""
        lines = rows.column(LINE)
        _, offsets, text = lines.buffers()
        ends = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
        self.file.write(memoryview(text)[ends[0] : ends[-1]])

    def close(self) -> None:
        """Nothing is left."""


class ParquetTable:
    """Row groups of a fixed size, however the rows arrive, so that the same rows are the same bytes."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        self.schema = schema
        self.writer = pq.ParquetWriter(file, schema, compression="zstd")
        self.waiting: list[pa.RecordBatch] = []
        self.rows_waiting = 0

    def write(self, rows: pa.RecordBatch) -> None:
        """Add the rows."""
        self.waiting.append(rows.select(self.schema.names))
        self.rows_waiting += rows.num_rows
        if self.rows_waiting >= ROW_GROUP:
            self._write_groups(self.rows_waiting // ROW_GROUP * ROW_GROUP)

    def close(self) -> None:
        """Write what is left."""
        self._write_groups(self.rows_waiting)
        self.writer.close()

    def _write_groups(self, rows: int) -> None:
        if rows:
            table = pa.Table.from_batches(self.waiting, self.schema).combine_chunks()
            self.writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP)
            rest = table.slice(rows)
            self.waiting, self.rows_waiting = rest.to_batches(), rest.num_rows


def new_table(stack: ExitStack, path: Path, header: bytes, schema: pa.Schema) -> CsvTable | ParquetTable:
    """A new file of the kind that its name says, which the stack closes."""
    file = stack.enter_context(path.open("xb"))
    table = CsvTable(file, header) if path.suffix == ".csv" else ParquetTable(file, schema)
    return stack.enter_context(closing(table))


@dataclass(frozen=True, slots=True)
class Layout:
    """What every folder of tables has: a file per stage, by its name without ending, and one of all participants."""

    stages: dict[str, str]
    formats: tuple[Format, ...]
    header: bytes
    schema: pa.Schema

    def tables(self) -> list[str]:
        """The names of the files without ending, in order; that of all participants is the last."""
        return [*self.stages.values(), EVERYONE]

    def files(self) -> list[str]:
        """The names of the files, in order."""
        return [f"{table}.{ending}" for table in self.tables() for ending in self.formats]


@contextmanager
def opened(folder: Path, layout: Layout) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """What adds rows to the table of all and to those of their stages, in a folder that is made if it is not there.

    Every file has its header from the start.
    """
    folder.mkdir(exist_ok=True)
    columns = [LINE, *(layout.schema.names if "parquet" in layout.formats else [])]
    with ExitStack() as stack:
        files = {name: new_table(stack, folder / name, layout.header, layout.schema) for name in layout.files()}

        def put(table: str, rows: pa.RecordBatch) -> None:
            for ending in layout.formats if rows.num_rows else ():
                files[f"{table}.{ending}"].write(rows)

        def write(rows: pa.RecordBatch) -> None:
            shown = rows.select(columns)
            put(EVERYONE, shown)
            for stage, table in layout.stages.items():
                put(table, shown.filter(pc.equal(rows.column(STAGE), stage)))

        yield write
