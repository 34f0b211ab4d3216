"""`studyflow build`: the dbt models, in this process. `pipelines.builder` does the same in another."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

from pipelines.errors import StudyflowError
from pipelines.projects import EMBEDDED, link_package
from pipelines.settings import PROJECT, Settings

ARGUMENTS = [
    "build",
    "--resource-type", "seed",
    "--resource-type", "model",
    "--project-dir", str(PROJECT),
    "--profiles-dir", str(PROJECT),
    "--log-level", "none",
    "--log-level-file", "warn",
    "--no-write-json",
]  # fmt: skip

may_open_warehouse = Event()
"""dbt reads the project, then waits for this before it opens the warehouse (`pipelines.dbt_plugin`)."""
may_open_warehouse.set()


def build(settings: Settings) -> int:
    """Build every seed and model as of the settings' moment; the number of tables and views made. Raises as `run_dbt`."""
    return len(run_dbt(settings, dbt_folders(settings.warehouse)))


def run_dbt(settings: Settings, folders: dict[str, Path], *options: str) -> list[Any]:
    """Let dbt build every seed and model; what it says of each that it made. `folders`: see `dbt_folders`.

    Raises:
        StudyflowError: a model failed; the message has what dbt said of each.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - takes seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    places = [str(word) for option in folders.items() for word in option]
    link_package(PROJECT)
    with _environment(settings):
        try:
            outcome = dbtRunner().invoke([*ARGUMENTS, *places, *options])
        finally:
            # else the database stays locked until this process ends (dbt-core 11980)
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if outcome.exception is not None:
        msg = f"{settings.warehouse}: the models could not be built. dbt says: {outcome.exception}"
        raise StudyflowError(msg) from outcome.exception
    results: list[Any] = list(getattr(outcome.result, "results", []))
    failed = [result for result in results if result.status in {"error", "fail"}]
    if failed:
        said = {result.node.name: " ".join((result.message or "no reason given").split()) for result in failed}
        details = "\n".join(f"  {name}: {message[:500]}" for name, message in said.items())
        msg = f"{settings.warehouse}: {len(failed)} of the models could not be built. dbt says:\n{details}"
        raise StudyflowError(msg)
    return [result for result in results if result.status == "success"]


def dbt_folders(warehouse: Path) -> dict[str, Path]:
    """Where dbt keeps what it has read, and its log: in the project, or beside the warehouse if it cannot be there.

    Never in an installed package, even by someone who may write to it.
    """
    usual = {"--target-path": PROJECT / "target", "--log-path": PROJECT / "logs"}
    can_write = all(os.access(path if path.exists() else PROJECT, os.W_OK | os.X_OK) for path in usual.values())
    if can_write and PROJECT != EMBEDDED:
        return {}
    place = warehouse.with_name(f".{warehouse.name}.dbt")
    return {option: place / path.name for option, path in usual.items()}


@contextlib.contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """What profiles.yml and the macros read. Vars on dbt's command line would make it parse everything anew."""
    values = {
        "STUDYFLOW_DATABASE": str(settings.database),
        "STUDYFLOW_AS_OF": settings.as_of.isoformat(),
        "STUDYFLOW_STUDIES_FILE": str(settings.studies_file),
        "STUDYFLOW_PEOPLE_FILE": str(settings.people_file),
    }
    if settings.backtest_weeks:
        values["STUDYFLOW_BACKTEST_WEEKS"] = str(settings.backtest_weeks)
    before = {name: os.environ.get(name) for name in values}
    folder = Path.cwd()
    os.environ.update(values)
    os.chdir(PROJECT)  # paths of the project are written as seen from its folder
    try:
        yield
    finally:
        os.chdir(folder)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
