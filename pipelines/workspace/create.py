"""`studyflow init`: creates a workspace, a dbt project that uses studyflow as a package."""

import shlex
import sys
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
        for path, content in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    except OSError as error:
        msg = f"{error.filename or folder}: cannot be written ({error.strerror}). Allow writing there, or name another folder."
        raise StudyflowError(msg) from error
    link_package(folder.resolve())
    return list(contents)


def _contents(folder: Path) -> dict[Path, bytes]:
    """The files of a workspace, relative to its folder, with their contents."""
    contents: dict[Path, bytes] = {}
    for file in sorted((path for path in FILES.rglob("*") if path.is_file()), key=lambda path: (len(path.parts), path)):
        contents[file.relative_to(FILES).with_name(HIDDEN.get(file.name, file.name))] = file.read_bytes()
    optional = types_of_optional_files(PACKAGE)
    # a clone may have studies.csv and people.csv beside the reference tables of studyflow
    tables = sorted(file for file in (PACKAGE / "data" / "reference").glob("*.csv") if file.stem not in optional)
    for file in (PACKAGE / "profiles.yml", *tables):
        contents[file.relative_to(PACKAGE)] = file.read_bytes()
    for name, types in optional.items():
        contents[Path("data", "reference", f"{name}.csv")] = (",".join(types) + "\n").encode()
    crontab = Path("schedule", "crontab")
    studyflow = shlex.quote(str(Path(sys.argv[0]).absolute()))
    text = contents[crontab].decode().format(workspace=shlex.quote(str(folder)), studyflow=studyflow)
    contents[crontab] = text.encode()
    return contents
