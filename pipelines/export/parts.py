"""What an export remembers of its files, so that the next need not make them whole: the part of each that is a study's."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.export.builds import Build
from pipelines.export.mart import LINE, STAGE, STUDY
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.tables import Layout

PARTS = ".studyflow-export-parts.json"
ABOUT = "What `studyflow export` remembers of its files here, to write only what is new. Without it, it writes all."
_MANY = 1 << 50
_SEPARATORS = frozenset("/\\:")


@dataclass(frozen=True, slots=True)
class Part:
    """What is a study's: the name of its folder, empty where studies have none, and the bytes and rows by stage."""

    folder: str
    bytes: tuple[int, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of an export as it left them, and whose they are. Files have the studies in this order."""

    made_with: str
    build: Build
    files: dict[str, tuple[int, int]]
    studies: dict[str, Part]

    def are_in(self, folder: Path) -> bool:
        """Whether every file is as the export left it, by its size and the time of its last change."""
        try:
            return all(_seen(folder / name) == seen for name, seen in self.files.items())
        except OSError:
            return False

    def bounds(self, layout: Layout) -> np.ndarray | None:
        """Where the lines of each study start in each table of all studies (of the stages, then of all participants).

        A row more says where the last end. None where that is not the end of the files.
        """
        if any(len(part.bytes) != len(layout.stages) for part in self.studies.values()):
            return None
        sizes = np.array([part.bytes for part in self.studies.values()], np.int64).reshape(-1, len(layout.stages))
        sizes = np.hstack([sizes, sizes.sum(axis=1, keepdims=True)])
        ends = np.vstack([np.full((1, sizes.shape[1]), len(layout.header)), len(layout.header) + sizes.cumsum(axis=0)])
        files = [self.files.get(f"{table}.csv", (-1, 0))[0] for table in layout.tables()]
        return ends if ends[-1].tolist() == files else None

    def write(self, folder: Path) -> None:
        """Leave them in the folder for the next export."""
        studies = [[study, part.folder, part.bytes, part.rows] for study, part in self.studies.items()]
        said = {"about": ABOUT, "made_with": self.made_with, "build": asdict(self.build), "files": self.files}
        text = json.dumps(said | {"studies": studies}, separators=(",", ":"))
        (folder / PARTS).write_text(text + "\n", encoding="utf-8", newline="\n")


def read(folder: Path) -> Parts | None:
    """What the export in the folder remembers; nothing where that is missing or no longer makes sense."""
    try:
        said = json.loads((folder / PARTS).read_bytes())
        return Parts(
            made_with=str(said["made_with"]),
            build=Build(**said["build"]),
            files={_inside(name): (int(size), int(changed)) for name, (size, changed) in said["files"].items()},
            studies={
                str(study): Part(_inside(name), _counts(sizes), _counts(rows))
                for study, name, sizes, rows in said["studies"]
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def look_at(folder: Path, names: list[str]) -> dict[str, tuple[int, int]]:
    """The size of each file and the time of its last change, to recognise it by."""
    return {name: _seen(folder / name) for name in names}


def made_with(
    query: str, layout: Layout, pseudonyms: Pseudonyms | None, *, by_study: bool, workbook: str | None
) -> str:
    """A hash of all that the bytes of an export depend on beside the rows: what is asked for, and with what."""
    asked_for = (query, by_study, workbook, pseudonyms.fingerprint if pseudonyms else None)
    how = (asked_for, list(layout.stages.items()), layout.formats, layout.header.hex(), str(layout.schema))
    return hashlib.sha256(repr((how, duckdb.__version__, pa.__version__)).encode()).hexdigest()


class Sizes:
    """Counts the bytes of lines by study and stage while they go by."""

    def __init__(self, layout: Layout) -> None:
        self.stages = pa.array(layout.stages, pa.string())
        self.of: dict[str, np.ndarray] = {}

    def add(self, rows: pa.RecordBatch) -> None:
        """Count a batch, in which the rows of a study stand together."""
        runs = pc.run_end_encode(rows.column(STUDY))
        ends = runs.run_ends.to_numpy()
        run_of = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        stage_of = pc.index_in(rows.column(STAGE), value_set=self.stages).to_numpy()
        lengths = pc.binary_length(rows.column(LINE)).to_numpy()
        width = len(self.stages)
        sums = np.bincount(run_of * width + stage_of, weights=lengths, minlength=len(ends) * width)
        for study, counted in zip(runs.values.to_pylist(), sums.reshape(-1, width).astype(np.int64), strict=True):
            self.of[study] = self.of[study] + counted if study in self.of else counted

    def of_study(self, study: str) -> tuple[int, ...]:
        """Bytes by stage."""
        return tuple(self.of[study].tolist())


def _seen(path: Path) -> tuple[int, int]:
    """What tells whether a file was changed. A link in its place is a change, whatever it leads to."""
    status = path.lstat()
    return (status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else (-1, -1)


def _inside(name: Any) -> str:  # noqa: ANN401
    """The name, if it leads nowhere but into the folder.

    Raises:
        ValueError: it does not.
    """
    text = str(name)
    if text == ".." or not _SEPARATORS.isdisjoint(text):
        path = Path(text)
        if path.is_absolute() or path.drive or ".." in path.parts:
            raise ValueError(name)
    return text


def _counts(numbers: list[Any]) -> tuple[int, ...]:
    """Numbers that count something.

    Raises:
        ValueError: they cannot.
    """
    counts = tuple(map(int, numbers))
    if min(counts, default=0) < 0 or max(counts, default=0) > _MANY:
        raise ValueError(numbers)
    return counts
