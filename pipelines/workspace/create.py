"""`studyflow init`: a new workspace, a dbt project with studyflow as its package."""

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import StudyflowError
from pipelines.projects import link_package
from pipelines.reference import types_of_optional_files
from pipelines.settings import PACKAGE

FILES = Path(__file__).parent / "files"
HIDDEN = {"gitignore": ".gitignore", "keep": ".gitkeep"}
"""Files that a package could lose under the names they get."""


def create(folder: Path) -> list[Path]:
    """Make a workspace in a folder, which may have other files; the paths of its files, as seen from there.

    Raises:
        StudyflowError: a file of a workspace is there already, or one cannot be written. Nothing is replaced.
    """
    contents = _contents(folder.resolve())
    if present := [path for path in contents if (folder / path).exists()]:
        msg = f"{folder / present[0]}: already exists, and a workspace would replace it. Name a new folder."
        raise StudyflowError(msg)
    try:
        for path, write in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write(folder / path)
    except OSError as error:
        msg = f"{error.filename or folder}: cannot be written ({error.strerror}). Allow writing there, or name another folder."
        raise StudyflowError(msg) from error
    link_package(folder.resolve())
    return list(contents)


def _contents(folder: Path) -> dict[Path, Callable[[Path], object]]:
    """Each file of a workspace, and what writes it."""
    contents: dict[Path, Callable[[Path], object]] = {}
    for file in sorted((path for path in FILES.rglob("*") if path.is_file()), key=lambda path: (len(path.parts), path)):
        contents[file.relative_to(FILES).with_name(HIDDEN.get(file.name, file.name))] = _copy_of(file)
    for name in ("profiles.yml", *(f"data/reference/{file.name}" for file in _reference_tables())):
        contents[Path(name)] = _copy_of(PACKAGE / name)
    for name, types in types_of_optional_files(PACKAGE).items():
        contents[Path("data", "reference", f"{name}.csv")] = _text(",".join(types) + "\n")
    contents[Path("schedule", "crontab")] = _text(
        (FILES / "schedule" / "crontab")
        .read_text(encoding="utf-8")
        .format(workspace=shlex.quote(str(folder)), studyflow=shlex.quote(str(Path(sys.argv[0]).absolute())))
    )
    return contents


def _reference_tables() -> list[Path]:
    """The tables that came with studyflow; not a team's own files beside them in a clone."""
    own = {f"{name}.csv" for name in types_of_optional_files(PACKAGE)}
    return sorted(file for file in (PACKAGE / "data" / "reference").glob("*.csv") if file.name not in own)


def _copy_of(file: Path) -> Callable[[Path], object]:
    return lambda to: shutil.copyfile(file, to)  # without the mode: an installed file may be write-protected


def _text(text: str) -> Callable[[Path], object]:
    return lambda to: to.write_text(text, encoding="utf-8")
