"""Write the tables of stages and of all participants as files, from sorted Arrow batches."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.export.mart import LINE, STAGE, STUDY

ALL_PARTICIPANTS = "participants"

ROW_GROUP = 50_000


class CsvTable:
    """A CSV file. The column LINE of a batch has whole lines as UTF-8, so their bytes are copied as they are."""

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
        """Nothing to do: every row has been written."""


class ParquetTable:
    """A Parquet file with row groups of a fixed size: the same rows give the same bytes, however they arrive."""

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
        """Write the remaining rows and end the file."""
        self._write_groups(self.rows_waiting)
        self.writer.close()

    def _write_groups(self, rows: int) -> None:
        if rows:
            table = pa.Table.from_batches(self.waiting, self.schema).combine_chunks()
            self.writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP)
            rest = table.slice(rows)
            self.waiting, self.rows_waiting = rest.to_batches(), rest.num_rows


def new_table(stack: ExitStack, path: Path, header: bytes, schema: pa.Schema) -> CsvTable | ParquetTable:
    """A new CSV or Parquet file, according to its extension. The stack closes it."""
    file = stack.enter_context(path.open("xb"))
    table = CsvTable(file, header) if path.suffix == ".csv" else ParquetTable(file, schema)
    return stack.enter_context(closing(table))


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a folder of tables: one per stage (`stages` has their names) and one of all participants."""

    stages: dict[str, str]
    endings: tuple[str, ...]
    header: bytes

    def tables(self) -> list[str]:
        """The names of the files without extension, in order; that of all participants is the last."""
        return [*self.stages.values(), ALL_PARTICIPANTS]

    def files(self) -> list[str]:
        """The names of the files, in order."""
        return [f"{table}.{ending}" for table in self.tables() for ending in self.endings]


@contextmanager
def stage_writer(folder: Path, layout: Layout, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that adds rows to the table of all participants and to those of their stages.

    The folder is created if necessary. Every file gets its header at once.
    """
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        files = {name: new_table(stack, folder / name, layout.header, schema) for name in layout.files()}

        def put(table: str, rows: pa.RecordBatch) -> None:
            for ending in layout.endings if rows.num_rows else ():
                files[f"{table}.{ending}"].write(rows)

        def write(rows: pa.RecordBatch) -> None:
            shown = rows.drop_columns([STUDY, STAGE])
            put(ALL_PARTICIPANTS, shown)
            for stage, table in layout.stages.items():
                put(table, shown.filter(pc.equal(rows.column(STAGE), stage)))

        yield write
