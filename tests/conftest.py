"""What all tests share: the compiled product, and how hard hypothesis tries."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("inbox", "product")

from inbox import Inbox, inbox  # noqa: E402 - once their assertions say what they found
from product import Product, compile_project  # noqa: E402

# How long an example takes says nothing of whether it is right. For a deep search: pytest --hypothesis-profile thorough
# CI tries the same examples every time, so that a change is red for what is in it.
settings.register_profile(
    "usual", deadline=None, max_examples=40, print_blob=True, derandomize="CI" in os.environ, database=None
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=3_000)
settings.load_profile("usual")


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The dbt project, compiled once."""
    compiled = compile_project(tmp_path_factory.mktemp("dbt"))
    yield compiled
    compiled.close()


@pytest.fixture
def box(product: Product) -> Iterator[Inbox]:
    """An empty folder and an empty warehouse."""
    with inbox(product) as made:
        yield made


def pytest_unconfigure() -> None:
    """Let hypothesis go: through this callback it would outlive DuckDB, which warns of every object still in use."""
    gc.callbacks.clear()
