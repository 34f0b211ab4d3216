"""Finds the dbt project to work in: a workspace, another project with studyflow as a package, or studyflow's own."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.errors import StudyflowError

HERE = Path(__file__).resolve().parent
EMBEDDED = HERE / "project"
"""Where studyflow's dbt project is in a wheel."""
OWN = EMBEDDED if EMBEDDED.is_dir() else HERE.parent
"""studyflow's dbt project: its models, macros, data tests and default reference tables."""
NAME_IS_STUDYFLOW = re.compile(r"^name: *['\"]?studyflow['\"]? *$", re.MULTILINE)
PROFILE_IS_STUDYFLOW = re.compile(r"^profile: *['\"]?studyflow['\"]? *$", re.MULTILINE)
PACKAGES = Path("dbt_packages")
"""The folder in a project where dbt looks for packages."""


def project_to_work_in() -> Path:
    """The folder in STUDYFLOW_PROJECT, else the workspace around the current folder, else studyflow's own project."""
    if named := os.environ.get("STUDYFLOW_PROJECT"):
        return Path(named).absolute()
    return next((folder for folder in _here_and_above() if _is_workspace(folder)), OWN)


def package_of(project: Path) -> Path:
    """The folder with studyflow's models and macros: the project itself if it is a copy of studyflow."""
    return project if NAME_IS_STUDYFLOW.search(_project_text(project)) else OWN


def reference_file(name: str, folder: Path, project: Path) -> Path:
    """The file of a reference table: the one in `folder` or, if there is none, studyflow's default."""
    file, package = folder / f"{name}.csv", package_of(project)
    return file if package == project or os.path.lexists(file) else package / "data" / "reference" / file.name


def link_package(project: Path) -> None:
    """Link studyflow into the `dbt_packages` folder of a project, as `dbt deps` would.

    If there is a real folder instead of a link, another tool made it, and it is kept.

    Raises:
        StudyflowError: the link cannot be created.
    """
    package, link = package_of(project), project / PACKAGES / "studyflow"
    if package == project or link.resolve() == package.resolve() or (link.exists() and not link.is_symlink()):
        return
    new = link.with_name(f".studyflow-{os.getpid()}")
    try:
        link.parent.mkdir(exist_ok=True)
        new.symlink_to(package, target_is_directory=True)
        new.replace(link)
    except OSError as error:
        msg = f"{link}: cannot be created ({error.strerror}). dbt needs this link to find studyflow's models; allow writing there."
        raise StudyflowError(msg) from error


def _here_and_above() -> Iterator[Path]:
    with suppress(OSError):  # the current folder may have been deleted
        here = Path.cwd()
        yield from (here, *here.parents)


def _is_workspace(folder: Path) -> bool:
    text = _project_text(folder)
    return bool(PROFILE_IS_STUDYFLOW.search(text) and not NAME_IS_STUDYFLOW.search(text))


def _project_text(project: Path) -> str:
    try:
        return (project / "dbt_project.yml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
