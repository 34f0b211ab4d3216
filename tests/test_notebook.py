"""The notebook, executed: as it is opened, with an empty warehouse, with none, and in a browser."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ask_warehouse import make
from product import Product

from pipelines.settings import PROJECT
from pipelines.warehouse import connect

NOTEBOOK = PROJECT / "notebooks" / "explore.py"


@pytest.fixture(scope="module")
def database(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(product, tmp_path_factory.mktemp("notebook"))


def run(database: Path, monkeypatch: pytest.MonkeyPatch, **defined: object) -> tuple[str, dict[str, Any]]:
    """What the notebook shows, as HTML, and what its cells define; `defined` stands in for some of that.

    A cell that fails makes this fail.
    """
    monkeypatch.setenv("STUDYFLOW_DATABASE", str(database))
    spec = importlib.util.spec_from_file_location("explore", NOTEBOOK)
    assert spec
    assert spec.loader
    notebook = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "explore", notebook)
    spec.loader.exec_module(notebook)
    outputs, defs = notebook.app.run(defs=defined or None)
    return "".join(output.text for output in outputs if hasattr(output, "text")), dict(defs)


def test_it_shows_what_the_marts_say(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, defs = run(database, monkeypatch, study=SimpleNamespace(value="st-1"))
    with connect(database, read_only=True) as connection:
        funnel = connection.execute(
            "select step, reached from marts.study_funnel where study_id = 'st-1' order by step_order"
        ).fetchall()
        stalled = connection.execute(
            "select count(*) from marts.ageing_participants where study_id = 'st-1' and is_stalled"
        ).fetchall()
    assert defs["funnel"].select("step", "reached").rows() == funnel
    assert defs["stalled"].height == stalled[0][0]
    assert defs["cohorts"]["participants"].max() == 6, "all who were first seen two weeks ago"
    for heading in ("Funnel", "Cohorts", "Ageing", "Anything else"):
        assert heading in shown


def test_the_study_picker_has_every_study_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, defs = run(database, monkeypatch)
    assert set(defs["study"].options.values()) == {"st-1", "st-2", "st-3"}
    assert "As of 2026-07-31 12:00 UTC" in shown


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select 6 * 7 as answer", "42"),
        ("selec", "syntax error"),
        ("from marts.nothing", "Table with name nothing does not exist"),
        ("select nothing from marts.people", "Referenced column"),
        ("drop table marts.people", "Queries only read the warehouse"),
        ("from read_csv('README.md')", "Queries can reach only the warehouse"),
        ("from range(1_000_000_000)", "Only the first 10,000 rows"),
        ("set variable x = 1", ""),
    ],
)
def test_a_query_gets_its_answer_or_a_sentence(
    database: Path, monkeypatch: pytest.MonkeyPatch, query: str, says: str
) -> None:
    """It may read everything in the warehouse, and nothing else."""
    shown, _ = run(database, monkeypatch, query=SimpleNamespace(value=query))
    assert says in shown
    assert "studyflow build" not in shown, "a typo is not mended by a build"


def test_without_a_warehouse_or_studies_it_says_what_to_run(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, _ = run(tmp_path / "none.duckdb", monkeypatch)
    empty, _ = run(make(product, tmp_path, []), monkeypatch)
    assert "no warehouse here yet" in missing
    assert "No study has a participant yet" in empty


def test_it_leaves_the_warehouse_to_others(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a notebook stands open for days, every run must be able to write."""
    run(database, monkeypatch)
    opens = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create or replace table raw.touched as select 1')"
    subprocess.run([sys.executable, "-c", opens, str(database)], check=True)


@contextmanager
def served(database: Path) -> Iterator[str]:
    """The address of the notebook as an app."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        "-m",
        "marimo",
        "run",
        str(NOTEBOOK),
        "--headless",
        "--no-token",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {**os.environ, "STUDYFLOW_DATABASE": str(database), "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(300):
                with socket.socket() as asking:
                    if asking.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.mark.slow(reason="starts marimo and a browser; all cells run in the tests above")
def test_as_an_app_it_answers_in_a_browser(database: Path) -> None:
    """Pick a study, see its funnel; ask something, see the answer. Nothing is fetched from anywhere else."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("no chromium here")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not where there is no browser

    with served(database) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page()
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(address)
        page.get_by_role("heading", name="Anything else").wait_for(timeout=60_000)
        page.get_by_label("Study").click()
        page.get_by_role("option", name="st-3").click()
        page.locator("svg, canvas").first.wait_for()
        page.get_by_text("screener_completed").first.wait_for(timeout=30_000)
        page.get_by_role("button", name="Ask").click()
        page.get_by_text("Pending Incentive").first.wait_for(timeout=30_000)
        assert page.get_by_text("Traceback").count() == 0
        assert {url for url in urls if not url.startswith((address, "data:", "blob:", "ws"))} == set()
        browser.close()


def test_the_page_on_notebooks_shows_code_that_works(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of docs/notebooks.md, one after the other, as somebody would paste them."""
    text = (PROJECT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    examples = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    assert examples
    monkeypatch.chdir(database.parent)
    defined: dict[str, Any] = {}
    for example in examples:
        exec(example.replace("data/studyflow.duckdb", str(database)), defined)  # noqa: S102
    assert defined["funnel"].height > 0
    defined["warehouse"].close()
    assert json.loads(defined["chart"].to_json())["mark"]["type"] == "bar"
