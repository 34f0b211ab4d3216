"""Documentation that drifts is worse than none: what can be compared with the code is."""

import importlib
import re
from pathlib import Path

import pytest
import typer.main

from pipelines.cli import app
from pipelines.reference import types_of_optional_files

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`studyflow {command}" in README


def test_the_readme_names_no_command_that_is_not_there() -> None:
    named = set(re.findall(r"`studyflow ([\w-]+)", README))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_says_what_it_is_for(command: str) -> None:
    assert COMMANDS[command].help
    assert all(getattr(option, "help", None) for option in COMMANDS[command].params)


def test_every_make_target_in_the_docs_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"make ([a-z-]+)[` ]", (PROJECT / page).read_text(encoding="utf-8")))
        assert named <= targets, page


def test_links_between_pages_lead_somewhere() -> None:
    for page in [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *(PROJECT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    "page", sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_tables_in_docs_are_whole(page: Path) -> None:
    """A blank line in a table, or a cell too few, and it is shown as text."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for found in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [re.sub(r"`[^`]*`|\\\|", "", row).count("|") for row in found.splitlines()]
        assert re.fullmatch(r"[| :-]+", [*found.splitlines(), ""][1]), f"no head: {found.splitlines()[0]}"
        assert len(set(rows)) == 1, f"cells: {found.splitlines()[0]}"


def test_the_page_on_how_it_works_names_every_folder_of_code() -> None:
    """Somebody who looks for a file starts there."""
    page = (PROJECT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in (PROJECT / "pipelines").glob("*/__init__.py")}
    assert {folder for folder in folders if f"`pipelines/{folder}/`" not in page} == set()


def test_the_page_on_extending_it_names_every_column_of_studies_and_people() -> None:
    """A team that writes these files looks there for what it may put in them."""
    page = (PROJECT / "docs" / "extend.md").read_text(encoding="utf-8")
    columns = [name for types in types_of_optional_files(PROJECT).values() for name in types]
    assert [name for name in columns if f"\n| `{name}` |" not in page] == []


def test_what_users_read_in_tables_and_messages_explains_itself() -> None:
    """A column's comment or an error is read where nobody looks up a section of the specification."""
    folders = ("models", "data/reference", "pipelines")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.is_file()]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.suffix in {".yml", ".py", ".sql", ".j2"}}
    cites = re.compile(r"\bspec(ification)?\s+section|\bsection\s+[1-9]\b", re.IGNORECASE)
    assert [path for path, text in texts.items() if cites.search(text)] == []


@pytest.mark.slow(reason="another run of the sample; .ci/run has it")
@pytest.mark.usefixtures("parsed_project")
def test_the_picture_in_the_readme_is_what_a_run_prints_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A picture drawn by hand, or once, shows what the product was.
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.syspath_prepend(str(PROJECT / "docs" / "images"))
    picture = importlib.import_module("make_run_picture")
    drawn = picture.draw(picture.run_sample(tmp_path))
    assert drawn == picture.PICTURE.read_text(encoding="utf-8"), "run docs/images/make_run_picture.py"
