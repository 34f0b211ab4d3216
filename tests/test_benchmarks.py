"""A benchmark of things that do not do the same work says nothing; nor does a page that no measurement made."""

import importlib
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from processes import PROJECT
from product import Product

from pipelines.export import ExportOptions
from pipelines.generate import Recipe, generate
from pipelines.run import export_tables
from pipelines.settings import Settings

BENCHMARKS = PROJECT / "benchmarks"
AS_OF = "2026-08-15T00:00:00+00:00"


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def run(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, product: Product) -> Path:
    """Webhooks, some of them damaged, and the warehouse that studyflow makes of them."""
    folder = tmp_path_factory.mktemp("benchmarks")
    generate(Recipe(participants=600, studies=8, days=60, malformed=0.1, seed=4), folder / "events.jsonl")
    settings = Settings((folder / "events.jsonl",), folder / "w.duckdb", folder / "ours", datetime.fromisoformat(AS_OF))
    product.run(settings)
    export_tables(settings, ExportOptions())
    return folder


def test_the_floor_does_the_same_work(folder: Path) -> None:
    # Lines are counted and kept alike, every mart has the same rows, and so have the files of the stages.
    made = [folder / "floor.duckdb", folder / "floor"]
    run(
        BENCHMARKS / "floor.py",
        *("--database", made[0], "--exports", made[1], "--as-of", AS_OF),
        folder / "events.jsonl",
    )
    rows = importlib.import_module("verify").verify(folder / "w.duckdb", "floor", made[0])
    assert len([table for table in rows if table.startswith("marts.")]) == 18
    assert all(rows.values()), rows
    for file in made[1].glob("*.csv"):  # lists to work from are ours alone
        assert len(file.read_bytes().splitlines()) == len((folder / "ours" / file.name).read_bytes().splitlines())


def test_a_difference_is_found(folder: Path, tmp_path: Path) -> None:
    verify = importlib.import_module("verify")
    duckdb = importlib.import_module("duckdb")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as other:
        other.execute(f"attach '{folder / 'w.duckdb'}' as ours (read_only)")
        other.execute("create schema marts; create schema audit; create table audit.gaps as from ours.audit.gaps")
        marts = "select table_name from duckdb_tables() where database_name = 'ours' and schema_name = 'marts'"
        for (mart,) in other.execute(marts).fetchall():
            other.execute(f"create table marts.{mart} as from ours.marts.{mart}")
        other.execute("insert into marts.people from marts.people limit 1")
    with pytest.raises(ValueError, match=r"people: of \d+ rows 0 are missing, 1 are others"):
        verify.verify(folder / "w.duckdb", "dlt", tmp_path / "other.duckdb")


def test_peers_get_the_lines_that_are_accepted_and_find_the_same(folder: Path, tmp_path: Path) -> None:
    dataset = importlib.import_module("dataset")
    data = dataset.make(tmp_path, 2_000, 1)
    counts = run(
        BENCHMARKS / "floor.py",
        *("--database", tmp_path / "floor.duckdb", "--exports", tmp_path / "exports", "--as-of", AS_OF, data.events),
    )
    assert json.loads(counts)["accepted"] == len(data.clean.read_bytes().splitlines())
    assert len(data.events.read_bytes().splitlines()) == 2_000
    assert [len(path.read_bytes().splitlines()) for path in data.arrivals] == [dataset.NEW_LINES]
    spread = [json.loads(line) for line in data.spread[0].read_bytes().splitlines()]
    assert len({line["participantId"] for line in spread}) == len(spread) > 0

    data.events.unlink()
    clean = folder / "clean.jsonl"
    dataset.write_clean(folder / "events.jsonl", clean)
    run(BENCHMARKS / "peers" / "with_polars.py", clean, folder / "polars", PROJECT / "data" / "reference")
    assert importlib.import_module("verify").verify(folder / "w.duckdb", "polars", folder / "polars")


def test_what_takes_too_long_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    measure = importlib.import_module("measure")
    limits = measure.Limits(seconds=1, memory=1e12)
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    measured = measure.measure([sys.executable, "-c", script], dict(os.environ), limits, tmp_path)
    assert measured.stopped == "stopped after 1 s"


def test_a_failure_is_no_result(tmp_path: Path) -> None:
    measure = importlib.import_module("measure")
    limits = measure.Limits(seconds=60, memory=1e12)
    with pytest.raises(RuntimeError, match="no such luck"):
        measure.measure(
            [sys.executable, "-c", "raise SystemExit('no such luck')"], dict(os.environ), limits, tmp_path, tmp_path
        )


def test_the_page_says_what_was_measured() -> None:
    # Nobody types a number into it.
    results = json.loads((BENCHMARKS / "results.json").read_text(encoding="utf-8"))
    page = importlib.import_module("page")
    assert page.page(results) == (PROJECT / "docs" / "benchmarks.md").read_text(encoding="utf-8"), (
        "run benchmarks/run.py --draw"
    )
