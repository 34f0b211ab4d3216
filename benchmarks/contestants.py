"""Who takes part: the command of each, what it makes, and what it does not do."""

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
    """Where things are: the interpreter of the peers' environment, and a folder for what is made."""

    peers_python: Path
    scratch: Path

    def made_by(self, contestant: str) -> Path:
        """What a contestant makes: a database or a folder."""
        return self.scratch / {OURS: "studyflow.duckdb", FLOOR: "floor.duckdb", "dlt": "dlt.duckdb"}.get(
            contestant, contestant
        )


@dataclass(frozen=True, slots=True)
class Contestant:
    """One of them. `raw` is the folder of the lines as they came; `data` also has the clean ones."""

    name: str
    command: Callable[[Place, Data, Path], list[str]]
    is_compared: bool = True


def full_run(place: Place, raw: Path, as_of: str) -> list[str]:
    """The command of `studyflow run` on a folder."""
    return [
        *(sys.executable, "-m", "pipelines", "run", "--json", "--raw", str(raw), "--as-of", as_of),
        *("--database", str(place.made_by(OURS)), "--exports", str(place.scratch / "studyflow-exports")),
    ]


def floor_run(place: Place, raw: Path, as_of: str) -> list[str]:
    """The command of the floor on the same folder."""
    return [
        *(sys.executable, str(HERE / "floor.py"), "--as-of", as_of),
        *("--database", str(place.made_by(FLOOR)), "--exports", str(place.scratch / "floor-exports")),
        *map(str, sorted(raw.iterdir())),
    ]


def _ours(place: Place, data: Data, raw: Path) -> list[str]:
    return full_run(place, raw, data.as_of.isoformat())


def _floor(place: Place, data: Data, raw: Path) -> list[str]:
    return floor_run(place, raw, data.as_of.isoformat())


def _dlt(place: Place, data: Data, _: Path) -> list[str]:
    script = HERE / "peers" / "with_dlt.py"
    database, folder = place.made_by("dlt"), place.scratch / "dlt"
    return [*map(str, (place.peers_python, script, data.clean, database, PROJECT, folder)), data.as_of.isoformat()]


def _with(library: str) -> Callable[[Place, Data, Path], list[str]]:
    def command(place: Place, data: Data, _: Path) -> list[str]:
        script = HERE / "peers" / f"with_{library}.py"
        return [*map(str, (place.peers_python, script, data.clean, place.made_by(library), REFERENCE))]

    return command


def _sqlite_utils(place: Place, data: Data, _: Path) -> list[str]:
    program, made = place.peers_python.with_name("sqlite-utils"), place.made_by("sqlite-utils")
    return [*map(str, (program, "insert", made, "events", data.clean)), "--nl"]


CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant(OURS, _ours, is_compared=False),
        Contestant(FLOOR, _floor),
        Contestant("dlt", _dlt),
        Contestant("polars", _with("polars")),
        Contestant("pandas", _with("pandas")),
        Contestant("sqlite-utils", _sqlite_utils, is_compared=False),
    )
}
