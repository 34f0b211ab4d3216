"""A whole `studyflow run` in a process of its own that is killed at a point of the test's choosing."""

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from processes import PROCESSES, use_parsed_project

from pipelines import build as builds
from pipelines import run as steps
from pipelines.export import ExportOptions, exporter
from pipelines.load import loader
from pipelines.settings import Settings

if TYPE_CHECKING:
    from multiprocessing.queues import Queue


WITHIN: dict[str, tuple[Any, str]] = {
    "load": (loader, "withdraw_replaced"),
    "build": (builds, "build"),
    "check": (steps, "check_copy"),
    "export": (exporter, "_write"),
}
"""Points within each step: the module and the function, at the start of which the process is killed."""

STATE = """
select
    (select strftime(as_of, '%c') from audit.built_as_of),
    (select count(*) from marts.participants),
    (select sum(participants) from marts.study_progress),
    (select count(*) from marts.status_changes where not is_inferred),
    (select sum(status_changes) from marts.participants)
"""


def run(settings: Settings) -> None:
    """The whole run, which must end well."""
    outcome = steps.run_all(settings, ExportOptions(), strict=False, console=None)
    assert outcome.exit_code == 0


def run_until(settings: Settings, point: str | float) -> bool:
    """Run, killed within the step of that name, or so many seconds after it began to build. False if it got through."""
    process = PROCESSES.Process(target=_run_until, args=(settings, point))
    process.start()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def everything(settings: Settings) -> tuple[dict[str, list[Any]], dict[str, bytes]]:
    """All marts, audit tables and raw lines, and all exported files."""
    from pipelines.warehouse import connect  # noqa: PLC0415 - what is preloaded must not open databases

    with connect(settings.database, read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('marts', 'audit', 'reference') order by all"
        ).fetchall()
        tables: dict[str, list[Any]] = {
            name: connection.execute(f"select * from {name} order by all").fetchall() for (name,) in names
        }
        tables["deliveries"] = connection.execute(
            "select * exclude (load_id, loaded_at) from raw.deliveries order by all"
        ).fetchall()
    tables.pop("audit.load_files")  # says when a file was loaded
    files = {path.name: path.read_bytes() for path in settings.exports.iterdir() if not path.name.startswith(".")}
    return tables, files


def seen_by_readers(database: Path) -> tuple[object, ...]:
    """What a reader sees who opens the warehouse as the docs say: the moment, and numbers that must belong together."""
    with duckdb.connect(str(database), read_only=True) as connection:
        [state] = connection.execute(STATE).fetchall()
    _, of_participants, of_studies, changes, of_changes = state
    assert of_participants == of_studies
    assert changes == of_changes
    return tuple(state)


def read_on(database: Path, stop: Event, seen: "Queue[tuple[int, list[tuple[object, ...]]]]") -> None:
    """Read again and again until told to stop; how often, and the states that were seen, each once."""
    times, states = 0, [seen_by_readers(database)]
    while not stop.wait(0.02):
        state = seen_by_readers(database)
        times += 1
        if state != states[-1]:
            states.append(state)
    seen.put((times, states))


def _run_until(settings: Settings, point: str | float) -> None:
    use_parsed_project()
    if isinstance(point, str):
        module, name = WITHIN[point]
        setattr(module, name, _kill)
    else:
        builds.build = _later(builds.build, point)  # type: ignore[assignment]
    run(settings)
    os._exit(0)


def _later(build: Callable[[Settings], int], seconds: float) -> Callable[[Settings], int]:
    def build_and_be_killed(settings: Settings) -> int:
        threading.Timer(seconds, _kill).start()
        return build(settings)

    return build_and_be_killed


def _kill(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leftovers(folder: Path, expected: set[str]) -> set[str]:
    """What is in the folder beside what should be."""
    return {path.name for path in folder.iterdir()} - expected
