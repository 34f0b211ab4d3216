"""The contestants of the benchmarks: the command of each, and where its result is."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dataset import Data

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
REFERENCE = PROJECT / "data" / "reference"
OURS = "studyflow"
FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Place:
    """The Python interpreter of the peers' environment, and the folder for results."""

    peers_python: Path
    scratch: Path

    def result_of(self, contestant: str) -> Path:
        """The database or folder that a contestant makes."""
        return self.scratch / {OURS: "studyflow.duckdb", FLOOR: "floor.duckdb", "dlt": "dlt.duckdb"}.get(
            contestant, contestant
        )


@dataclass(frozen=True, slots=True)
class Contestant:
    """A contestant. Its command is made from the place, the data, and the folder with the raw lines.

    `is_compared`: its result is compared with studyflow's.
    """

    name: str
    command: Callable[[Place, Data, Path], list[str]]
    is_compared: bool = True


def full_run(place: Place, raw: Path, as_of: str) -> list[str]:
    """The command of `studyflow run` on a folder."""
    return [
        *(sys.executable, "-m", "pipelines", "run", "--json", "--raw", str(raw), "--as-of", as_of),
        *("--database", str(place.result_of(OURS)), "--exports", str(place.scratch / "studyflow-exports")),
    ]


def floor_run(place: Place, raw: Path, as_of: str) -> list[str]:
    """The command of the floor on the same folder."""
    return [
        *(sys.executable, str(HERE / "floor.py"), "--as-of", as_of),
        *("--database", str(place.result_of(FLOOR)), "--exports", str(place.scratch / "floor-exports")),
        *map(str, sorted(raw.iterdir())),
    ]


def _studyflow(place: Place, data: Data, raw: Path) -> list[str]:
    return full_run(place, raw, data.as_of.isoformat())


def _floor(place: Place, data: Data, raw: Path) -> list[str]:
    return floor_run(place, raw, data.as_of.isoformat())


def _dlt(place: Place, data: Data, _: Path) -> list[str]:
    script = HERE / "peers" / "with_dlt.py"
    database, folder = place.result_of("dlt"), place.scratch / "dlt"
    return [*map(str, (place.peers_python, script, data.clean, database, PROJECT, folder)), data.as_of.isoformat()]


def _peer(library: str) -> Callable[[Place, Data, Path], list[str]]:
    def command(place: Place, data: Data, _: Path) -> list[str]:
        script = HERE / "peers" / f"with_{library}.py"
        return [*map(str, (place.peers_python, script, data.clean, place.result_of(library), REFERENCE))]

    return command


def _sqlite_utils(place: Place, data: Data, _: Path) -> list[str]:
    program, database = place.peers_python.with_name("sqlite-utils"), place.result_of("sqlite-utils")
    return [*map(str, (program, "insert", database, "events", data.clean)), "--nl"]


CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant(OURS, _studyflow, is_compared=False),
        Contestant(FLOOR, _floor),
        Contestant("dlt", _dlt),
        Contestant("polars", _peer("polars")),
        Contestant("pandas", _peer("pandas")),
        Contestant("sqlite-utils", _sqlite_utils, is_compared=False),
    )
}
