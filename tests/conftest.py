"""What all tests share: the compiled product, and how hard hypothesis tries."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock
from hypothesis import settings

pytest.register_assert_rewrite("against_oracle", "inbox", "product")

from ask_warehouse import Answer, Ask, make  # noqa: E402
from inbox import Inbox, inbox  # noqa: E402 - once their assertions say what they found
from processes import PARSED, start_fork_server, use_parsed_project  # noqa: E402
from product import Product, compile_project  # noqa: E402
from tables_page import build_sample  # noqa: E402

from pipelines.cli import main  # noqa: E402
from pipelines.warehouse import connect  # noqa: E402

# How long an example takes says nothing of whether it is right. For a deep search: pytest --hypothesis-profile thorough
# CI tries the same examples every time, so that a change is red for what is in it.
settings.register_profile(
    "usual", deadline=None, max_examples=30, print_blob=True, derandomize="CI" in os.environ, database=None
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=3_000)
settings.load_profile("usual")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which dbt has compiled the project, once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "compiled"
    with FileLock(shared / "compiled.lock"):
        if not folder.exists():
            compile_project(shared / "compiling")
            (shared / "compiling").rename(folder)
    return folder


@pytest.fixture(scope="session")
def product(compiled: Path) -> Iterator[Product]:
    """The dbt project, compiled."""
    product = Product.of(compiled)
    yield product
    product.close()


@pytest.fixture(scope="session")
def sample_database(compiled: Path, product: Product) -> Path:
    """A warehouse in which the sample is loaded and every model built, once for all workers. Copy it to write to it."""
    file = compiled.with_name("sample.duckdb")
    with FileLock(file.with_suffix(".lock")):
        if not file.exists():
            draft = file.with_name("sample_draft.duckdb")
            with connect(draft) as connection:
                build_sample(product, connection)
            draft.rename(file)
    return file


@pytest.fixture(scope="module")
def sample(sample_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """That warehouse, to read."""
    with connect(sample_database, read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def parsed_project(compiled: Path) -> None:
    """Builds begin with what dbt has parsed once, from here on."""
    os.environ[PARSED] = str(compiled / "target" / "partial_parse.msgpack")
    use_parsed_project()
    start_fork_server()


@pytest.fixture(scope="session")
def ask_database(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small warehouse to ask: that of ask_warehouse.py."""
    return make(product, tmp_path_factory.mktemp("ask"))


@pytest.fixture
def ask(ask_database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """The command in this process, which is what makes asking often affordable."""

    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["studyflow", *words])
        monkeypatch.setenv("STUDYFLOW_DATABASE", str(ask_database))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


@pytest.fixture
def box(product: Product) -> Iterator[Inbox]:
    """An empty folder and an empty warehouse."""
    with inbox(product) as made:
        yield made


# Modules of 15 seconds or more, longest first: a worker that begins a long one last leaves the others with nothing to do.
# The second needs no compiled project, which the worker with the first one compiles meanwhile.
LONGEST = (
    *("dbt_project", "delivered", "incremental", "cli", "runs", "forget_command", "check_across", "load_again"),
    *("dbt_tests", "any_history", "load_moved", "load_lines", "load_files", "report", "schedule", "forget"),
    *("forget_forms", "upgrade", "export_skipped", "load_fuzz"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest modules. What was imported stays: looking through it for garbage again and again takes time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    place = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_unconfigure() -> None:
    """Let everything go: through hypothesis' callback it would outlive DuckDB, which warns of every object still in use."""
    gc.callbacks.clear()
    gc.unfreeze()
