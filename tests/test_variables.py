"""Vars of dbt_project.yml that nobody can compute with: named, all at once, before anything is done."""

import shutil
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from test_cli import EVENT, studyflow

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT
from pipelines.variables import VARS, check_vars


def project(folder: Path, **said: object) -> Path:
    """A folder with the project's vars, some of them others."""
    vars_of = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    (folder / "dbt_project.yml").write_text(yaml.safe_dump({"vars": vars_of | said}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("report_timezone", "Mars/Base"),
        ("report_timezone", ""),
        ("report_timezone", "UTC'; drop schema raw; --"),
        ("incentive_sla_days", "soon"),
        ("incentive_sla_days", -1),
        ("incentive_sla_days", 2.5),
        ("incentive_sla_days", None),
        ("invitation_cooldown_days", True),
        ("participation_cooldown_days", 10**12),
        ("bulk_edit_min", 0),
        ("silence_times_usual", float("nan")),
        ("daily_tables_from", "the beginning"),
        ("as_of", "2026-07-31"),
        ("as_of", "9000-01-01T00:00:00Z"),
    ],
)
def test_a_var_that_is_none_is_named(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(StudyflowError, match=f"the var {name} is .* Write "):
        check_vars(project(tmp_path, **{name: value}))


def test_all_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(StudyflowError) as found:
        check_vars(project(tmp_path, report_timezone="Mars/Base", incentive_sla_days="soon"))
    assert [line.partition(" is ")[0].split()[-1] for line in str(found.value).splitlines()] == [
        "report_timezone",
        "incentive_sla_days",
    ]


def test_ours_are_right_and_all_looked_at(tmp_path: Path) -> None:
    """A date without quotes is one to YAML, too."""
    check_vars()
    check_vars(project(tmp_path, daily_tables_from="2000-01-01", report_timezone="Asia/Kathmandu"))
    said = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    assert set(VARS) == set(said) - {"studies_file", "people_file"}


def test_a_run_says_so_before_it_does_anything(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(EVENT % "one", encoding="utf-8")
    shutil.copytree(PROJECT / "macros", tmp_path / "macros")
    where = {"STUDYFLOW_PROJECT": str(project(tmp_path, incentive_sla_days="soon"))}
    for words in (("run", "--raw", tmp_path / "one.jsonl", "--exports", tmp_path / "out"), ("build",)):
        done = studyflow(*words, "--as-of", "2026-04-01T00:00:00Z", "--database", tmp_path / "w.duckdb", **where)
        assert done.returncode == 1
        assert "the var incentive_sla_days is 'soon'" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "w.duckdb").exists()
