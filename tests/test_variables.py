"""Vars of dbt_project.yml that nobody can compute with: named, all at once, before anything is done."""

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from processes import studyflow
from test_cli import EVENT

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT, REFERENCE, SAMPLE, requested_as_of, resolve, with_named_files
from pipelines.variables import VARS, read_vars, time_zones


def project(folder: Path, **said: object) -> Path:
    """A folder with the project's vars, some of them others."""
    vars_of = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    (folder / "dbt_project.yml").write_text(
        yaml.safe_dump({"name": "studyflow", "vars": vars_of | said}), encoding="utf-8"
    )
    return folder


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("report_timezone", "Mars/Base"),
        ("report_timezone", ""),
        ("report_timezone", "UTC'; drop schema raw; --"),
        ("report_timezone", "UTC+05:30"),
        ("report_timezone", "BST"),
        ("report_timezone", "EST5EDT"),
        ("report_timezone", "Etc/GMT+5"),
        ("report_timezone", "europe/berlin"),
        ("report_timezone", 2),
        ("people_file", ""),
        ("studies_file", None),
        ("daily_tables_from", "2000-W01-1"),
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
        ("as_of", ["2026-07-31T18:00:00Z"]),
        ("as_of", "9000-01-01T00:00:00Z"),
    ],
)
def test_a_var_that_is_none_is_named(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(StudyflowError, match=f"the var {name} is .* Write "):
        read_vars(project(tmp_path, **{name: value}))


def test_all_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(StudyflowError) as found:
        read_vars(project(tmp_path, report_timezone="Mars/Base", incentive_sla_days="soon"))
    assert [line.partition(" is ")[0].split()[-1] for line in str(found.value).splitlines()] == [
        "incentive_sla_days",
        "report_timezone",
    ]


def test_ours_are_right_and_all_looked_at(tmp_path: Path) -> None:
    """A date without quotes is one to YAML, too, and so is a time."""
    said = read_vars()
    assert set(VARS) == set(said)
    read_vars(
        project(
            tmp_path,
            daily_tables_from=date(2000, 1, 1),
            report_timezone="America/Argentina/Buenos_Aires",
            as_of=datetime(2026, 7, 31, 18, tzinfo=UTC),
        )
    )


def test_time_zones_say_one_thing() -> None:
    """BST is Bangladesh to a database and London to a reader; UTC+05:30 is ahead of UTC or, in POSIX, behind."""
    zones = time_zones()
    assert {"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Indiana/Knox", "Pacific/Auckland"} <= zones
    assert [zone for zone in zones if "/" not in zone] == ["UTC"]
    assert [zone for zone in zones if any(sign in zone for sign in "+0123456789")] == []


def test_a_var_that_is_missing_or_not_known_is_named(tmp_path: Path) -> None:
    """A build would fail in the middle of SQL for the one, and the other was meant to change something."""
    folder = project(tmp_path, incentive_sla_day=3, colour="red")
    text = (folder / "dbt_project.yml").read_text(encoding="utf-8")
    (folder / "dbt_project.yml").write_text(text.replace("  bulk_edit_min: 5\n", ""), encoding="utf-8")
    with pytest.raises(StudyflowError) as found:
        read_vars(folder)
    line = {name: number for number, name in enumerate(re.findall(r"^ *(\w+):", text, re.MULTILINE), start=1)}
    assert str(found.value).replace(f"{folder}/", "").splitlines() == [
        "dbt_project.yml: lacks the var bulk_edit_min. Write a whole number, 1 or more.",
        f"dbt_project.yml, line {line['colour'] - 1}: has a var colour, which is unknown. Remove it.",
        (
            f"dbt_project.yml, line {line['incentive_sla_day'] - 1}: has a var incentive_sla_day, which is unknown. "
            "Rename it to incentive_sla_days."
        ),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vars:\n  as_of: [\n", "dbt_project.yml, line 3: is not valid YAML"),
        ("vars:\n\tas_of: x\n", "dbt_project.yml, line 2: is not valid YAML"),
        ("name: studyflow\n", "dbt_project.yml: has no vars"),
        ("", "dbt_project.yml: is empty"),
    ],
)
def test_a_file_that_is_no_project_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "dbt_project.yml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyflowError, match=says):
        read_vars(tmp_path)


def test_a_setting_of_the_project_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line comes first, then the environment, then dbt_project.yml, then the default."""
    ours, theirs = tmp_path / "it's ours.csv", tmp_path / "theirs.csv"
    said = {**read_vars(), "as_of": "2026-07-31T18:00:00Z", "people_file": str(ours)}
    assert requested_as_of(None, said) == "2026-07-31T18:00:00Z"
    assert requested_as_of("2026-08-01T00:00:00Z", said) == "2026-08-01T00:00:00Z"
    with pytest.raises(StudyflowError, match=r"ours\.csv: no such file, but the var people_file names it"):
        with_named_files(resolve(), said)
    ours.touch()
    settings = with_named_files(resolve(), said)
    assert (settings.people_file, settings.studies_file) == (ours, SAMPLE / "studies.csv")
    monkeypatch.setenv("STUDYFLOW_PEOPLE_FILE", str(theirs))
    with pytest.raises(StudyflowError, match=r"theirs\.csv: no such file, but STUDYFLOW_PEOPLE_FILE names it"):
        with_named_files(resolve(), said)
    theirs.touch()
    assert with_named_files(resolve(), said).people_file == theirs
    assert with_named_files(resolve([tmp_path]), read_vars()).studies_file == REFERENCE / "studies.csv"


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


def test_the_chat_hears_of_a_project_that_cannot_be_read(tmp_path: Path) -> None:
    """Whoever reads it would take silence for a run that went well."""
    shutil.copytree(PROJECT / "macros", tmp_path / "macros")
    (tmp_path / "dbt_project.yml").write_text("vars: [\n", encoding="utf-8")
    done = studyflow(
        *("run", "--raw", tmp_path, "--database", tmp_path / "w.duckdb", "--chat", tmp_path / "chat.json"),
        STUDYFLOW_PROJECT=str(tmp_path),
    )
    assert done.returncode == 1
    assert "dbt_project.yml, line 2: is not valid YAML" in done.stderr
    assert "is not valid YAML" in (tmp_path / "chat.json").read_text(encoding="utf-8")
