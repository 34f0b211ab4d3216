"""The process that builds the tables: it waits until it may open the warehouse, and never outlives who started it."""

import pickle
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines import dbt_plugin
from pipelines.build import dbt_folders, run_dbt
from pipelines.builder import Builder
from pipelines.errors import StudyflowError
from pipelines.settings import Settings
from pipelines.warehouse import connect

STARTS_AND_IS_KILLED = """
import os, pickle, signal, sys
from pipelines.builder import Builder
with Builder(pickle.load(sys.stdin.buffer)):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings((), tmp_path / "w.duckdb", tmp_path / "exports", datetime(2026, 8, 1, tzinfo=UTC))


@pytest.mark.slow(reason="a build by dbt in another process; every run in test_cli.py has that")
def test_it_builds_once_the_warehouse_is_free(settings: Settings) -> None:
    """The loader has the file open while dbt starts: no other process can open it then."""
    with Builder(settings) as builder:
        with connect(settings.database) as connection:
            connection.execute("create table main.loaded as select 1 as one")
        assert builder.build() > 0
        with connect(settings.database, read_only=True) as connection:
            assert connection.execute("select count(*) from marts.participants").fetchall() == [(0,)]


@pytest.mark.slow(reason="imports dbt and parses the project anew; runs in test_cli.py have an answer come across")
def test_what_dbt_says_of_a_failure_comes_across(settings: Settings) -> None:
    """A run in which a model fails ends with the reason, whichever process met it."""
    with duckdb.connect(str(settings.database)) as connection:
        connection.execute("create schema raw; create table raw.format as select 999 as format")
    with Builder(settings) as builder, pytest.raises(StudyflowError, match="a later version of studyflow"):
        builder.build()


def test_a_process_that_was_killed_is_an_error_in_words(settings: Settings) -> None:
    """The system kills what takes too much memory."""
    with Builder(settings) as builder:
        builder.process.kill()
        with pytest.raises(
            StudyflowError, match=r"w\.duckdb: the process that builds the tables was killed \(SIGKILL\)"
        ):
            builder.build()


def test_it_ends_with_the_block(settings: Settings) -> None:
    """Ctrl-C raises in the block; a run whose load failed never comes to the build."""
    with Builder(settings) as builder:
        pass
    assert builder.process.returncode == -signal.SIGKILL


def test_it_ends_when_who_started_it_is_killed(settings: Settings) -> None:
    """It would write to a warehouse that another run has taken over. It holds standard error, so this returns when it ends."""
    started = subprocess.run(
        [sys.executable, "-c", STARTS_AND_IS_KILLED],
        input=pickle.dumps(settings),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert started.returncode == -signal.SIGKILL


@pytest.mark.slow(reason="a build by dbt; no test has the ten million lines from which it matters")
def test_a_large_warehouse_is_built_one_model_at_a_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three large models at once do not fit in the memory limit. dbt-core could stop reading the number this late."""
    monkeypatch.setattr(dbt_plugin, "ONE_MODEL_AT_A_TIME_FROM", 0)
    results = run_dbt(settings, dbt_folders(settings.warehouse))
    threads = {result.thread_id for result in results if result.node.resource_type == "model"}
    assert len(threads) == 1
