"""Which dbt project studyflow works in: a workspace, another project that has studyflow as a package, or its own."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.errors import StudyflowError

HERE = Path(__file__).resolve().parent
EMBEDDED = HERE / "project"
"""Where a wheel has studyflow's dbt project."""
OWN = EMBEDDED if EMBEDDED.is_dir() else HERE.parent
"""studyflow's dbt project: its models, macros, data tests and default reference tables."""
IS_STUDYFLOW = re.compile(r"^name: *['\"]?studyflow['\"]? *$", re.MULTILINE)
IS_FOR_STUDYFLOW = re.compile(r"^profile: *['\"]?studyflow['\"]? *$", re.MULTILINE)
PACKAGES = Path("dbt_packages")
"""Where dbt looks for packages of a project."""


def project_to_work_in() -> Path:
    """The folder that STUDYFLOW_PROJECT names, else the workspace that the current folder is in, else studyflow's own."""
    if named := os.environ.get("STUDYFLOW_PROJECT"):
        return Path(named).absolute()
    return next((folder for folder in _here_and_above() if _is_workspace(folder)), OWN)


def package_of(project: Path) -> Path:
    """The folder with the models and macros that a project works with: its own if it is a copy of studyflow."""
    return project if IS_STUDYFLOW.search(_said(project)) else OWN


def reference_file(name: str, folder: Path, project: Path) -> Path:
    """A reference table of a project: the file in its folder or, if it has none, the one that came with studyflow."""
    file, package = folder / f"{name}.csv", package_of(project)
    return file if package == project or os.path.lexists(file) else package / "data" / "reference" / file.name


def link_package(project: Path) -> None:
    """Link studyflow's models into a project where dbt looks for packages, as `dbt deps` would.

    A folder that is no link is left alone: another tool put it there.

    Raises:
        StudyflowError: the link cannot be made.
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
    with suppress(OSError):  # the current folder has been deleted
        here = Path.cwd()
        yield from (here, *here.parents)


def _is_workspace(folder: Path) -> bool:
    said = _said(folder)
    return bool(IS_FOR_STUDYFLOW.search(said) and not IS_STUDYFLOW.search(said))


def _said(project: Path) -> str:
    try:
        return (project / "dbt_project.yml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
