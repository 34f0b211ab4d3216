"""Run dbt in this process (`studyflow build`). `pipelines.builder` runs it in a second process (`studyflow run`)."""

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
"""dbt parses the project, then waits for this event before it opens the warehouse (`pipelines.dbt_plugin`)."""
may_open_warehouse.set()


def build(settings: Settings) -> int:
    """Build every seed and model as of `settings.as_of`; return the number of tables and views. Raises as `run_dbt`."""
    return len(run_dbt(settings, dbt_folders(settings.warehouse)))


def run_dbt(settings: Settings, folders: dict[str, Path], *options: str) -> list[Any]:
    """Build every seed and model with dbt; return dbt's result of each that succeeded. `folders`: see `dbt_folders`.

    Raises:
        StudyflowError: a model failed; the message has dbt's error for each.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - takes seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    folder_options = [str(word) for option in folders.items() for word in option]
    link_package(PROJECT)
    with _environment(settings):
        try:
            outcome = dbtRunner().invoke([*ARGUMENTS, *folder_options, *options])
        finally:
            # Otherwise the database stays locked until this process ends (dbt-core 11980).
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if outcome.exception is not None:
        msg = f"{settings.warehouse}: the models could not be built. dbt says: {outcome.exception}"
        raise StudyflowError(msg) from outcome.exception
    results: list[Any] = list(getattr(outcome.result, "results", []))
    failed = [result for result in results if result.status in {"error", "fail"}]
    if failed:
        messages = {result.node.name: " ".join((result.message or "no reason given").split()) for result in failed}
        details = "\n".join(f"  {name}: {message[:500]}" for name, message in messages.items())
        msg = f"{settings.warehouse}: {len(failed)} of the models could not be built. dbt says:\n{details}"
        raise StudyflowError(msg)
    return [result for result in results if result.status == "success"]


def dbt_folders(warehouse: Path) -> dict[str, Path]:
    """Options for dbt that put its target and log folders beside the warehouse; none if they can be in the project.

    An installed package is never written to, even if its folder is writable.
    """
    defaults = {"--target-path": PROJECT / "target", "--log-path": PROJECT / "logs"}
    can_write = all(os.access(path if path.exists() else PROJECT, os.W_OK | os.X_OK) for path in defaults.values())
    if can_write and PROJECT != EMBEDDED:
        return {}
    folder = warehouse.with_name(f".{warehouse.name}.dbt")
    return {option: folder / path.name for option, path in defaults.items()}


@contextlib.contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Set the environment variables that profiles.yml and the macros read, and work in the project's folder.

    Environment variables and not dbt's `--vars`: with other vars, dbt parses the whole project again.
    """
    values = {
        "STUDYFLOW_DATABASE": str(settings.database),
        "STUDYFLOW_AS_OF": settings.as_of.isoformat(),
        "STUDYFLOW_STUDIES_FILE": str(settings.studies_file),
        "STUDYFLOW_PEOPLE_FILE": str(settings.people_file),
    }
    if settings.backtest_weeks:
        values["STUDYFLOW_BACKTEST_WEEKS"] = str(settings.backtest_weeks)
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        with contextlib.chdir(PROJECT):  # the project has paths relative to its folder
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
