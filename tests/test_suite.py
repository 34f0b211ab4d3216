"""The tests themselves: files that fit in the head, and nothing is left out of `make test` without a word on why."""

import ast
from pathlib import Path

import pytest

LONGEST_FILE = 400
LEFT_OUT = {"slow", "soak"}
FILES = sorted(Path(__file__).parent.glob("*.py"))


def test_files_are_small() -> None:
    """One subject, one file: a module is also what one worker runs, so a long one leaves the others idle."""
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_make_test_leaves_out_says_why(file: Path) -> None:
    """Or tests would be marked because they are tedious, and what they guard would break unseen."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    marks = {id(node): node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_mark(node)}
    reasons = {
        id(node.func): word.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "reason" and isinstance(word.value, ast.Constant)
    }
    silent = [node.lineno for place, node in marks.items() if not str(reasons.get(place, "")).strip()]
    assert silent == [], f"lines of {file.name} with a mark, but without reason=…"


def is_mark(node: ast.Attribute) -> bool:
    """Whether this is `pytest.mark.slow` or the like."""
    return node.attr in LEFT_OUT and isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
