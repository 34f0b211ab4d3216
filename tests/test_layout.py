"""The Python package can be read from the bottom up: no module needs one that needs it, and a class has one name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pipelines.settings import PROJECT

PACKAGE = PROJECT / "pipelines"


def module_of(file: Path) -> str:
    """The name that a file is imported by."""
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py")}


def imports(module: str) -> Iterator[str]:
    """The modules of ours that a module imports, wherever it does: also within a function or for annotations alone."""
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for name in node.names:
                submodule = f"{node.module}.{name.name}"
                yield submodule if submodule in MODULES else node.module


def test_no_module_imports_one_that_imports_it() -> None:
    """In a cycle no module can be understood, tested or moved before the others."""
    graph = {module: set(imports(module)) - {module} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" ← ".join(error.args[1])) from error


def test_a_class_has_a_name_of_its_own() -> None:
    """Two classes of one name are one word for two things, in every message, search and sentence about the code."""
    classes = defaultdict(list)
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(module)
    assert {name: modules for name, modules in classes.items() if len(modules) > 1} == {}
