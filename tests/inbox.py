"""A folder of webhook files with the warehouse they are loaded into, and the oracle's word on what must be there."""

import gzip
import os
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa
from oracle.lines import Line, accounting, read_lines
from oracle.reference import DEFAULT_STATUSES, Statuses
from product import Product, rows
from strategies import valid_but

from pipelines.load.load_result import LoadResult
from pipelines.load.loader import load

COUNTS = (
    *("lines", "blank", "accepted", "other_events", "rejected", "batch_lines", "batch_deliveries"),
    *("distinct_changes", "repeated_deliveries"),
)
UNESCAPED = frozenset(string.printable[:95].encode()) - {ord("\\")}
Place = tuple[str, int, int]
HOUR_NS = 3_600_000_000_000
LONG_AGO_NS = 1_700_000_000_000_000_000

# Whole lines, each the one change of a participant.
A, B, C, D = (valid_but(participantId=f"participant-{letter}") + b"\n" for letter in "abcd")


@dataclass
class Inbox:
    """`load` reads the folder; `check` says whether what is loaded is what the oracle reads in some files."""

    product: Product
    folder: Path
    connection: duckdb.DuckDBPyConnection
    statuses: Statuses = field(default_factory=lambda: DEFAULT_STATUSES)
    written: int = 0

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write the content of files; compressed, if their name says so. The time of every writing is another."""
        for name, content in files.items():
            path = self.folder / name
            path.write_bytes(compressed(name, content))
            self.written += 1
            os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS + self.written * 1_000_000_000))

    def load(self) -> LoadResult:
        """Load what is new in the folder, all of which can be read.

        The load takes place an hour from now, as far as it can tell: a file that was written just before it is read is
        doubted and compared, which would hide mistakes.
        """
        with patch("pipelines.load.loader.time_ns", lambda: time_ns() + HOUR_NS):
            loaded = load(self.connection, [self.folder])
        assert [
            one for one in loaded.problems if not re.search(r"ends in a partial line|has no webhook files", one.problem)
        ] == []
        return loaded

    def build(self) -> None:
        """Make the tables that say what was loaded."""
        self.product.build(self.connection, "load_files", "rejected_lines", "stg_changes", "stg_identities")

    def totals(self) -> dict[str, int]:
        """The counts of all files together."""
        sums = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint)" for name in COUNTS[:-2])
        [counts] = self.connection.execute(f"select {sums} from audit.load_files").fetchall()
        [[distinct]] = self.connection.execute("select count(*) from staging.stg_changes").fetchall()
        return dict(zip(COUNTS, [*counts, distinct, counts[2] - distinct], strict=True))

    def delivered(self) -> dict[bytes, int]:
        """How often each of the lines A to D counts as delivered."""
        found = self.connection.execute(
            "select participant_id, deliveries from staging.stg_changes "
            "inner join staging.stg_identities using (participant_key, person_key, study_key)"
        ).fetchall()
        by_id = dict(found)
        return {line: by_id.get(f"participant-{letter}", 0) for line, letter in zip((A, B, C, D), "abcd", strict=True)}

    def check(self, files: Mapping[str, bytes]) -> None:
        """Compare every count, rejected line and delivery with the oracle's, for these files, by name."""
        self.build()
        lines = read_lines(files, self.statuses)
        rejected = {key(line): (line.reason, shown(line.raw)) for line in lines if line.reason}
        assert differences(self._rejected(), rejected) == {}
        accepted = {key(line): tuple(vars(line.delivery).values()) for line in lines if line.delivery}
        assert differences(self._accepted(), accepted) == {}
        assert self._counts() == {name: counts(lines, name) for name in files}
        whole = accounting(lines)
        assert self.totals() == whole | {"rejected": sum(whole["rejected"].values())}

    def _rejected(self) -> dict[Place, tuple[str, str]]:
        return {
            (Path(row["source_file"]).name, row["line_number"], row["position"]): (row["reason"], row["line"])
            for row in rows(self.connection, "audit.rejected_lines")
        }

    def _accepted(self) -> dict[Place, tuple[Any, ...]]:
        found = self.connection.execute(
            "select files.source_file, deliveries.line_number, position, deliveries.participant_id, deliveries.person_id, "
            "deliveries.study_id, deliveries.status, deliveries.prior_status, deliveries.occurred_at "
            "from staging.stg_deliveries as deliveries inner join raw.files on deliveries.file_id = files.file_id"
        ).fetchall()
        return {(Path(name).name, number, position): tuple(values) for name, number, position, *values in found}

    def _counts(self) -> dict[str, dict[str, int]]:
        found = rows(self.connection, "audit.load_files")
        names = Counter(row["source_file"] for row in found)
        assert set(names.values()) <= {1}, names
        return {Path(row["source_file"]).name: {name: row[name] for name in COUNTS} for row in found}


@contextmanager
def inbox(product: Product) -> Iterator[Inbox]:
    """An empty folder and an empty warehouse."""
    with TemporaryDirectory() as folder:
        try:
            yield Inbox(product, Path(folder), product.reused)
        finally:
            product.empty()


def compressed(name: str, content: bytes) -> bytes:
    """The content as a file of that name holds it."""
    if name.endswith(".gz"):
        return gzip.compress(content)
    if name.endswith(".zst"):
        return bytes(pa.compress(content, codec="zstd", asbytes=True))
    return content


def differences(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """What was found and what was expected, for each key where they differ."""
    keys = found.keys() | expected.keys()
    return {key: (found.get(key), expected.get(key)) for key in keys if found.get(key) != expected.get(key)}


def key(line: Line) -> Place:
    """Where a delivery stands."""
    return line.source_file, line.line_number, line.position


def counts(lines: list[Line], name: str) -> dict[str, int]:
    """The oracle's counts of one file."""
    whole = accounting(line for line in lines if line.source_file == name)
    return whole | {"rejected": sum(whole["rejected"].values())}


def shown(raw: bytes) -> str:
    """A rejected line as `audit.rejected_lines` has it: whole, but for the carriage return of its line end."""
    raw = raw.removesuffix(b"\r")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte in UNESCAPED else f"\\x{byte:02X}" for byte in raw)
