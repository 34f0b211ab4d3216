"""Whole runs, as others meet them: killed at any point and run again (spec section 8, 5), and while they are going on.

Real processes, real kills, real readers.
"""

import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from processes import PROCESSES
from run_process import everything, leftovers, read_on, run, run_until, seen_by_readers

from pipelines.generate import Recipe, generate
from pipelines.settings import Settings

pytestmark = pytest.mark.usefixtures("parsed_project")

AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
OURS = {"raw", "w.duckdb", "exports"}


def settings_of(folder: Path) -> Settings:
    return Settings(
        raw=(folder / "raw",),
        database=folder / "w.duckdb",
        exports=folder / "exports",
        as_of=AS_OF,
    )


@pytest.fixture(scope="module")
def previous_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with webhooks and what a run made of them, to which more webhooks have come since."""
    folder = tmp_path_factory.mktemp("yesterday")
    generate(Recipe(participants=40, studies=3), folder / "raw" / "a.jsonl")
    run(settings_of(folder))
    generate(Recipe(participants=10, studies=3, seed=2), folder / "raw" / "b.jsonl")
    return folder


@pytest.fixture
def folder(previous_run: Path, tmp_path: Path) -> Path:
    """A copy of that folder, names and times included."""
    shutil.copytree(previous_run, tmp_path / "team", copy_function=shutil.copy2)
    return tmp_path / "team"


def is_unchanged(settings: Settings, previous_run: Path) -> bool:
    """Whether everybody still sees what the run of yesterday made."""
    before = settings_of(previous_run)
    return settings.database.read_bytes() == before.database.read_bytes() and all(
        path.read_bytes() == (before.exports / path.name).read_bytes() for path in settings.exports.iterdir()
    )


@pytest.mark.slow(
    reason="eight runs as processes, half of them killed; test_working_copy.py kills at every touch of a file"
)
def test_killed_at_step_after_step_and_run_again_it_equals_one_that_was_not(folder: Path, previous_run: Path) -> None:
    """Until it has all been checked nobody sees anything of it; after that, the rest is caught up on."""
    settings = replace(settings_of(folder), as_of=AS_OF + timedelta(days=1))
    undisturbed = shutil.copytree(previous_run, folder.parent / "undisturbed", copy_function=shutil.copy2)
    for point in ("load", 1.5, "check"):
        assert run_until(settings, point)
        assert is_unchanged(settings, previous_run), point
    assert run_until(settings, "export")
    run(settings)
    run(replace(settings_of(undisturbed), as_of=settings.as_of))
    tables, files = everything(settings)
    assert leftovers(folder, OURS) == set()
    without_paths = {name: rows for name, rows in tables.items() if name != "audit.rejected_lines"}
    tables_of_other, files_of_other = everything(replace(settings_of(undisturbed), as_of=settings.as_of))
    assert without_paths == {name: tables_of_other[name] for name in without_paths}
    assert files == files_of_other


@pytest.mark.soak(reason="25 runs that are killed; test_killed_at_step_after_step… kills one in every step")
def test_killed_at_many_random_moments(folder: Path, previous_run: Path) -> None:
    """What others see is the run of yesterday or, once that has been put in place, all of the new one."""
    settings = replace(settings_of(folder), as_of=AS_OF + timedelta(days=1))
    undisturbed = replace(settings_of(folder.parent / "undisturbed"), as_of=settings.as_of)
    shutil.copytree(folder / "raw", str(undisturbed.raw[0]))
    run(undisturbed)
    after = seen_by_readers(undisturbed.database)
    dice = random.Random(5)
    for _ in range(25):
        if not run_until(settings, dice.uniform(0, 12)) or not is_unchanged(settings, previous_run):
            assert seen_by_readers(settings.database) == after
            settings.database.unlink()
            shutil.rmtree(settings.exports)
            shutil.copy2(previous_run / "w.duckdb", settings.database)
            shutil.copytree(previous_run / "exports", settings.exports, copy_function=shutil.copy2)
    run(settings)
    assert leftovers(folder, OURS) == set()
    assert seen_by_readers(settings.database) == after
    assert everything(settings)[1] == everything(undisturbed)[1]


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param(
            2, marks=pytest.mark.slow(reason="three runs; test_working_copy.py has readers while others write")
        ),
        pytest.param(10, marks=pytest.mark.soak(reason="eight more runs of the same")),
    ],
)
def test_readers_see_one_finished_run_after_another_and_nothing_else(folder: Path, runs: int) -> None:
    """A BI tool that asks again and again: it never waits, never fails, and its numbers always belong together."""
    settings = settings_of(folder)
    stop, seen = PROCESSES.Event(), PROCESSES.Queue()
    reader = PROCESSES.Process(target=read_on, args=(settings.database, stop, seen))
    reader.start()
    finished = [seen_by_readers(settings.database)]
    for number in range(1, runs + 1):
        generate(Recipe(participants=5, studies=3, seed=10 + number), folder / "raw" / f"{number}.jsonl")
        run(replace(settings, as_of=AS_OF + timedelta(days=number)))
        finished.append(seen_by_readers(settings.database))
    stop.set()
    times, states = seen.get(timeout=60)
    reader.join()
    assert reader.exitcode == 0
    assert times > 10 * runs, "it read all the time"
    assert states == finished[: len(states)]
    assert len(states) >= runs, "it saw them come"
