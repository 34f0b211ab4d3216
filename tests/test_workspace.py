"""A workspace is what a team edits; studyflow's own project is what upgrades replace. Which is used is never left to chance."""

from pathlib import Path

import pytest
from processes import PROJECT, studyflow

from pipelines.errors import StudyflowError
from pipelines.projects import link_package, package_of, project_to_work_in, reference_file
from pipelines.reference import known_statuses, read_reference_files
from pipelines.variables import read_vars
from pipelines.workspace.create import create

NOWHERE = Path("no such file")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    create(tmp_path / "team")
    return tmp_path / "team"


def put(folder: Path, text: str) -> None:
    (folder / "dbt_project.yml").write_text(text, encoding="utf-8")


def test_init_makes_a_workspace_and_says_what_to_do_next(tmp_path: Path) -> None:
    done = studyflow("init", tmp_path / "team")
    assert (done.returncode, done.stderr) == (0, "")
    assert "studyflow run" in done.stdout
    made = {str(path.relative_to(tmp_path / "team")) for path in (tmp_path / "team").rglob("*") if path.is_file()}
    assert made >= {
        *("dbt_project.yml", "profiles.yml", ".gitignore", "schedule/crontab", "macros/studyflow.sql"),
        *("models/returning_people.sql", "data/raw/.gitkeep", "data/reference/participant_statuses.csv"),
        *("data/reference/studies.csv", "data/reference/people.csv"),
    }


def test_init_replaces_nothing(workspace: Path) -> None:
    """A reference table that a team has edited for a year is gone for good otherwise."""
    (workspace / "data" / "reference" / "stages.csv").write_text("edited")
    done = studyflow("init", workspace)
    assert done.returncode == 1
    assert "dbt_project.yml: already exists" in done.stderr
    assert (workspace / "data" / "reference" / "stages.csv").read_text() == "edited"


def test_init_leaves_other_files_in_the_folder_alone(tmp_path: Path) -> None:
    """Teams make a repository first, and the workspace in it."""
    (tmp_path / "README.md").write_text("ours")
    create(tmp_path)
    assert (tmp_path / "README.md").read_text() == "ours"


def test_a_new_workspace_computes_with_the_defaults_and_its_tables_are_right(workspace: Path) -> None:
    """What init writes is written a second time, and must not differ from what it was copied from."""
    assert read_vars(workspace) == read_vars(PROJECT)
    folder = workspace / "data" / "reference"
    sheets = read_reference_files(folder / "studies.csv", folder / "people.csv", folder, workspace)
    assert sheets["studies"].rows == sheets["people"].rows == []
    assert [row.get("status") for row in sheets["participant_statuses"].rows] == known_statuses()


def test_a_workspace_is_found_from_any_folder_in_it(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDYFLOW_PROJECT", raising=False)
    monkeypatch.chdir(workspace / "data" / "reference")
    assert project_to_work_in() == workspace
    monkeypatch.chdir(workspace.parent)
    assert project_to_work_in() == PROJECT
    monkeypatch.setenv("STUDYFLOW_PROJECT", "team")
    assert project_to_work_in() == workspace


def test_another_dbt_project_is_no_workspace_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data team runs studyflow from its own project's folder, which studyflow must not start to build."""
    put(tmp_path, "name: analytics\nprofile: analytics\n")
    monkeypatch.delenv("STUDYFLOW_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert project_to_work_in() == PROJECT


def test_a_copy_of_studyflow_uses_its_own_models(tmp_path: Path) -> None:
    put(tmp_path, "name: 'studyflow'\nprofile: studyflow\n")
    assert package_of(tmp_path) == tmp_path


def test_a_project_with_vars_of_its_own_sets_ours_beside_them(tmp_path: Path) -> None:
    put(tmp_path, "name: analytics\nvars:\n  ours: 1\n  incentive_sla_days: 9\n  studyflow:\n    bulk_edit_min: 7\n")
    said = read_vars(tmp_path)
    assert (said["incentive_sla_days"], said["bulk_edit_min"]) == (9, 7)
    assert "ours" not in said


def test_wrong_vars_of_a_workspace_are_named_with_their_line(tmp_path: Path) -> None:
    put(tmp_path, "name: team\nvars:\n  studyflow:\n    report_timezone: Mars\n    incentive_sla_day: 3\n")
    with pytest.raises(StudyflowError) as found:
        read_vars(tmp_path)
    assert f"{tmp_path / 'dbt_project.yml'}, line 4: the var report_timezone is 'Mars'" in str(found.value)
    assert "line 5: has a var incentive_sla_day, which is unknown. Rename it to incentive_sla_days" in str(found.value)


def test_a_reference_table_that_a_workspace_lacks_is_as_it_came_with_studyflow(workspace: Path) -> None:
    """A workspace is older than the tables that a later version adds."""
    folder = workspace / "data" / "reference"
    assert reference_file("expected_moves", folder, workspace) == folder / "expected_moves.csv"
    (folder / "expected_moves.csv").unlink()
    assert reference_file("expected_moves", folder, workspace) == PROJECT / "data" / "reference" / "expected_moves.csv"


def test_a_column_that_a_later_version_adds_is_named_with_the_file_that_has_it(workspace: Path) -> None:
    stages = workspace / "data" / "reference" / "stages.csv"
    stages.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in stages.read_text().splitlines()))
    with pytest.raises(StudyflowError, match="lacks the column") as found:
        read_reference_files(NOWHERE, NOWHERE, stages.parent, workspace)
    assert f"Take it from {PROJECT / 'data' / 'reference' / 'stages.csv'}" in str(found.value)


def test_the_link_to_the_models_follows_studyflow(workspace: Path) -> None:
    """After an upgrade, or in a new environment, it is elsewhere."""
    link = workspace / "dbt_packages" / "studyflow"
    assert link.resolve() == PROJECT
    link.unlink()
    link.symlink_to(workspace / "gone")
    link_package(workspace)
    assert link.resolve() == PROJECT
    assert [path.name for path in link.parent.iterdir()] == ["studyflow"]


def test_a_package_that_another_tool_installed_is_left_alone(workspace: Path) -> None:
    link = workspace / "dbt_packages" / "studyflow"
    link.unlink()
    link.mkdir()
    link_package(workspace)
    assert not link.is_symlink()


def test_without_files_a_workspace_says_where_they_go(workspace: Path) -> None:
    done = studyflow("run", STUDYFLOW_PROJECT=str(workspace))
    assert done.returncode == 1
    assert f"{workspace / 'data' / 'raw'}: has no webhook files" in done.stderr
    assert not (workspace / "data" / "studyflow.duckdb").exists()


def test_the_schedule_names_the_workspace_and_the_command(workspace: Path) -> None:
    [entry] = [line for line in (workspace / "schedule" / "crontab").read_text().splitlines() if line.startswith("30")]
    assert f"cd {workspace} && " in entry
    assert "%" not in entry, "cron ends the command there"
