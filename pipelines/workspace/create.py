"""`studyflow init`: creates a workspace, a dbt project that uses studyflow as a package."""

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
"""Files with other names in the package, because packaging tools may drop hidden files."""


def create(folder: Path) -> list[Path]:
    """Create a workspace in a folder, which may contain other files; return its files, relative to the folder.

    Raises:
        StudyflowError: a file of the workspace already exists, or cannot be written. No file is ever replaced.
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
    """The files of a workspace, relative to its folder, each with the function that writes it."""
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
    """The reference tables of studyflow, without studies.csv and people.csv, which a clone may have there, too."""
    optional = {f"{name}.csv" for name in types_of_optional_files(PACKAGE)}
    return sorted(file for file in (PACKAGE / "data" / "reference").glob("*.csv") if file.name not in optional)


def _copy_of(file: Path) -> Callable[[Path], object]:
    return lambda to: shutil.copyfile(file, to)  # not the mode, because installed files may be write-protected


def _text(text: str) -> Callable[[Path], object]:
    return lambda to: to.write_text(text, encoding="utf-8")
