"""studyflow as people have it who did not clone it: a wheel in an environment, and a workspace; or a package of their dbt project.

`make test-installed` runs those marked soak, too: each builds with dbt, in an environment of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import duckdb
import pytest
import yaml  # type: ignore[import-untyped]
from processes import PROJECT
from test_schedule import AS_ANYBODY

from pipelines.settings import SAMPLE

EVENT = json.dumps(
    {
        "_eventType": "participant.status_changed",
        "participantId": "participant_1",
        "personId": "person_1",
        "studyId": "study_1",
        "status": "INTERVIEW_COMPLETED",
        "priorStatus": None,
        "updatedAt": "2026-03-01T10:00:00Z",
    }
)
DBT = "from dbt.cli.main import cli; cli()"
PARTS = ("pipelines", "models", "macros", "data/reference", "data/sample", "tests/dbt", "tests/dbt_macros")
FILES = ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "dbt_project.yml", "profiles.yml")
OWN_FILES = ("data/reference/studies.csv", "data/reference/people.csv")


class Installed:
    """An environment with the wheel, and with what it depends on, but without the clone."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=True)
        pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
        subprocess.run([self.bin / "python", *pip], check=True)
        [packages] = folder.glob("lib/python*/site-packages")
        (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
        self.project = packages / "pipelines" / "project"
        for path in (packages / "pipelines", *(packages / "pipelines").rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)

    @property
    def bin(self) -> Path:
        """Where its commands are."""
        return self.folder / "bin"

    def studyflow(self, *words: str | Path, cwd: Path, fails: bool = False) -> str:
        """What the command prints on standard output; where it is to fail, what it prints on both streams."""
        return self._run(self.bin / "studyflow", *words, cwd=cwd, fails=fails)

    def dbt(self, *words: str | Path, cwd: Path, fails: bool = False) -> str:
        """What dbt prints, likewise."""
        return self._run(self.bin / "python", "-c", DBT, "--quiet", *words, cwd=cwd, fails=fails)

    def _run(self, *command: str | Path, cwd: Path, fails: bool) -> str:
        given = {name: value for name, value in os.environ.items() if not name.startswith(("STUDYFLOW_", "DBT_"))}
        words = [*AS_ANYBODY.split(), *map(str, command)]
        done = subprocess.run(words, cwd=cwd, env=given, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails else done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a clone in which a team keeps files of its own."""
    pytest.importorskip("hatchling", reason="run make setup: the environment is older than requirements.lock")
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("dist")
    for part in PARTS:
        shutil.copytree(PROJECT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(PROJECT / file, clone)
    for file in OWN_FILES:
        (clone / file).write_text("study_id\nsecret\n")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)
    [made] = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("environment") / "venv", wheel)


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_wheel_has_the_whole_project_and_nothing_of_a_team(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for part in ("models", "macros", "data/reference", "data/sample", "tests/dbt", "tests/dbt_macros"):
        files = [path for path in (PROJECT / part).rglob("*") if path.is_file()]
        ours = {f"pipelines/project/{path.relative_to(PROJECT)}" for path in files}
        assert ours - {f"pipelines/project/{name}" for name in OWN_FILES} <= names, part
    assert names.isdisjoint(f"pipelines/project/{name}" for name in OWN_FILES), "they name people"
    assert {name for name in names if "/" not in name} == set(), "nothing beside the package"


@pytest.mark.soak(reason="builds with dbt in an environment of its own: make test-installed")
def test_a_workspace_from_the_wheel_runs(installed: Installed, tmp_path: Path) -> None:
    """On a machine without the clone, by a user who may not write to the installed package."""
    team = tmp_path / "team"
    assert "studyflow run" in installed.studyflow("init", team, cwd=tmp_path)
    assert "has no webhook files" in installed.studyflow("run", cwd=team, fails=True)
    shutil.copytree(SAMPLE, team / "data" / "raw", dirs_exist_ok=True)
    (team / "data" / "reference" / "studies.csv").write_text("study_id,study_name\nours,Our study\n")
    ran = json.loads(installed.studyflow("run", "--report", "--json", cwd=team / "models"))
    database = team / "data" / "studyflow.duckdb"
    assert (ran["built"], ran["checks"]["ok"]) == ("all", True)
    assert rows(database, "select min(studies) >= 2, count(*) > 0 from custom.returning_people") == [(True, True)]
    assert rows(database, "select study_name from raw.studies_file") == [("Our study",)]
    assert "study_id" in (team / "data" / "exports" / "participants.csv").read_text(encoding="utf-8")
    assert (team / "data" / "reports" / "index.html").exists()
    assert json.loads(installed.studyflow("run", "--json", cwd=team))["built"] == "nothing"

    model = team / "models" / "returning_people.sql"
    model.write_text(model.read_text().replace("> 1", "> 2"))
    assert json.loads(installed.studyflow("run", "--json", cwd=team))["built"] == "all", "a model of ours has changed"
    assert rows(database, "select min(studies) >= 3 from custom.returning_people") == [(True,)]


@pytest.mark.soak(reason="builds with dbt in an environment of its own: make test-installed")
def test_without_a_workspace_the_sample_runs_in_the_current_folder(installed: Installed, tmp_path: Path) -> None:
    assert json.loads(installed.studyflow("run", "--json", cwd=tmp_path))["checks"]["ok"]
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"studyflow.duckdb", "exports"}
    assert not (installed.project / "target").exists()


@pytest.mark.soak(reason="builds with dbt in an environment of its own: make test-installed")
def test_studyflow_is_a_package_of_another_dbt_project(installed: Installed, tmp_path: Path) -> None:
    """Its studies, people and statuses are those of that project, and so are its vars; other models can build on it."""
    project = tmp_path / "analytics"
    files = {
        "dbt_project.yml": yaml.safe_dump(
            {
                "name": "analytics",
                "profile": "analytics",
                "vars": {"ours": 1, "studyflow": {"studies_file": "input/studies.csv", "incentive_sla_days": 0}},
            }
        ),
        "packages.yml": yaml.safe_dump({"packages": [{"local": str(installed.project)}]}),
        "profiles.yml": yaml.safe_dump(
            {
                "analytics": {
                    "target": "dev",
                    "outputs": {
                        "dev": {
                            "type": "duckdb",
                            "path": "w.duckdb",
                            "schema": "analytics",
                            "plugins": [{"module": "pipelines.dbt_plugin"}],
                            "settings": {"TimeZone": "UTC"},
                        }
                    },
                }
            }
        ),
        "models/names.sql": "select study_id, study_name from {{ ref('study_progress') }}",
        "data/reference/people.csv": "person_id,person_name\nperson_1,Ada\n",
        "input/studies.csv": "study_id,study_name\nstudy_1,Theirs\n",
        "raw.jsonl": EVENT,
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    statuses = (installed.project / "data" / "reference" / "participant_statuses.csv").read_text(encoding="utf-8")
    (project / "data" / "reference" / "participant_statuses.csv").write_text(
        statuses.replace(",Interview Completed,", ",Talked to,"), encoding="utf-8"
    )
    installed.studyflow("load", "raw.jsonl", "--database", "w.duckdb", cwd=project)
    installed.dbt("deps", cwd=project)
    build = ("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
    assert "macros/studyflow.sql is missing in the project analytics" in installed.dbt(*build, cwd=project, fails=True)

    installed.studyflow("init", tmp_path / "team", cwd=tmp_path)
    shutil.copytree(tmp_path / "team" / "macros", project / "macros")
    installed.dbt(*build, cwd=project)
    database = project / "w.duckdb"
    assert rows(database, "from analytics.names") == [("study_1", "Theirs")]
    assert rows(database, "select person_name from marts.people") == [("Ada",)]
    assert rows(database, "select is_overdue from marts.incentive_backlog") == [(True,)]
    assert rows(database, "select current_status_label from marts.participants") == [("Talked to",)]
    installed.studyflow("check", "--database", "w.duckdb", cwd=project)
