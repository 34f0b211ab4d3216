"""What a scheduler and a chat get from a run: real processes, the examples as they stand in the docs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from processes import PROJECT, studyflow
from product import Product

from pipelines.chat import failure_message, run_message
from pipelines.errors import SourceError, StudyflowError
from pipelines.generate import Recipe, generate
from pipelines.load.load_result import LoadResult
from pipelines.outcome import Outcome
from pipelines.report import ReportRequest, file_report, write
from pipelines.report.archive import remove_reports
from pipelines.settings import Settings
from pipelines.warehouse import connect

pytestmark = pytest.mark.usefixtures("parsed_project")

EXAMPLES = PROJECT / "docs" / "schedules"
DAY = datetime(2026, 7, 30, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, product: Product) -> Settings:
    """A small warehouse with its webhook file, as of a day."""
    folder = tmp_path_factory.mktemp("team")
    generate(Recipe(participants=30, studies=2), folder / "raw" / "a.jsonl")
    settings = Settings((folder / "raw",), folder / "w.duckdb", folder / "exports", DAY)
    product.run(settings)
    return settings


@contextmanager
def on_day(settings: Settings, number: int) -> Iterator[Any]:
    """A connection to a copy of the warehouse whose tables say that they are as of that day of July."""
    copy = settings.database.with_name("copy.duckdb")
    shutil.copy(settings.database, copy)
    with connect(copy) as connection:
        connection.execute("update audit.built_as_of set as_of = ?", [DAY.replace(day=number)])
        yield connection
    copy.unlink()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_an_archive_keeps_the_last_reports_and_nothing_of_others_goes(team: Settings, tmp_path: Path) -> None:
    (tmp_path / "studyflow-2026-01-01.html").write_text("somebody's own")
    for number in (28, 29, 30):
        with on_day(team, number) as connection:
            file_report(connection, tmp_path, keep=2)
    dated = [f"studyflow-2026-07-{number}.{ending}" for number in (29, 30) for ending in ("html", "md")]
    assert names(tmp_path) == ["index.html", "studyflow-2026-01-01.html", *dated]
    index = (tmp_path / "index.html").read_text()
    assert re.findall(r'href="(studyflow[^"]*)"', index) == [*dated[2:], *dated[:2]], "the latest first"


def test_a_report_tells_what_changed_since_the_day_before_however_often_it_is_made(
    team: Settings, tmp_path: Path
) -> None:
    """A schedule of every hour would else tell each time of the last hour, in a file that is called after the day."""
    with on_day(team, 29) as connection:
        file_report(connection, tmp_path)
    for _ in range(2):
        with on_day(team, 30) as connection:
            assert file_report(connection, tmp_path).since == DAY.replace(day=29)


def test_an_archive_whose_memory_is_lost_removes_nothing(team: Settings, tmp_path: Path) -> None:
    for number in (28, 29, 30):
        with on_day(team, number) as connection:
            file_report(connection, tmp_path, keep=1)
        (tmp_path / ".studyflow-reports.json").write_text("{half")
    assert len(names(tmp_path)) == 7


def test_a_memory_that_names_other_places_removes_nothing_there(team: Settings, tmp_path: Path) -> None:
    """It is a file in a shared folder: what it says is not trusted."""
    victim = tmp_path / "victim"
    victim.write_text("")
    folder = tmp_path / "reports"
    with on_day(team, 28) as connection:
        file_report(connection, folder)
    memory = folder / ".studyflow-reports.json"
    memory.write_text(memory.read_text().replace("studyflow-2026-07-28.md", "../victim"))
    with on_day(team, 30) as connection:
        file_report(connection, folder, keep=1)
    assert victim.exists()


@pytest.mark.parametrize("name", ["notes.txt", "..", ""])
def test_a_memory_that_names_what_is_no_report_removes_nothing(team: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("somebody's own")
    with on_day(team, 28) as connection:
        file_report(connection, tmp_path)
    memory = tmp_path / ".studyflow-reports.json"
    memory.write_text(memory.read_text().replace("studyflow-2026-07-28.md", name))
    with on_day(team, 30) as connection:
        file_report(connection, tmp_path, keep=1)
    assert "notes.txt" in names(tmp_path)


def test_an_index_of_somebody_else_is_not_replaced(team: Settings, tmp_path: Path) -> None:
    """A folder that a web server shows has a page of that name already."""
    (tmp_path / "index.html").write_text("<h1>Welcome</h1>")
    with (
        on_day(team, 28) as connection,
        pytest.raises(StudyflowError, match=r"index.html: studyflow did not write this"),
    ):
        file_report(connection, tmp_path)
    assert names(tmp_path) == ["index.html"]


def test_reports_that_name_somebody_can_be_removed_and_leave_the_index(team: Settings, tmp_path: Path) -> None:
    """Who is to be forgotten must not stay in the report of last Monday."""
    (tmp_path / "notes.html").write_text("somebody's own, about participant")
    for number in (28, 30):
        with on_day(team, number) as connection:
            file_report(connection, tmp_path)
    gone = remove_reports(tmp_path, lambda file: file.name.startswith(("notes", "studyflow-2026-07-28")))
    assert [file.name for file in gone] == ["studyflow-2026-07-28.html", "studyflow-2026-07-28.md"]
    assert names(tmp_path) == ["index.html", "notes.html", "studyflow-2026-07-30.html", "studyflow-2026-07-30.md"]
    assert "2026-07-28" not in (tmp_path / "index.html").read_text()
    assert "2026-07-28" not in (tmp_path / ".studyflow-reports.json").read_text()


def outcome_of(team: Settings, **values: Any) -> Outcome:  # noqa: ANN401 - the fields of an outcome
    return replace(Outcome(team), loaded=LoadResult(1, 1, 0, 0, 5, ()), **values)


def test_a_summary_says_first_what_is_to_be_done(team: Settings, tmp_path: Path) -> None:
    with connect(team.database, read_only=True) as connection:
        written = write(connection, tmp_path, ReportRequest())
    message = run_message(outcome_of(team, reported=written))
    texts = [block["text"]["text"] for block in message["blocks"]]
    assert "done" in texts[0]
    assert texts[1].startswith("*To do*\n• ")
    assert all(action in message["text"] for action in written.actions)
    assert ".;" not in message["text"]
    assert texts[-1].endswith(".md")


def test_a_summary_says_what_could_not_be_read(team: Settings) -> None:
    loaded = LoadResult(1, 0, 0, 0, 0, (SourceError("<!channel>.jsonl", "cannot be read & stays."),))
    message = run_message(replace(Outcome(team), loaded=loaded))
    assert ":x:" in message["text"]
    assert "&lt;!channel&gt;.jsonl: cannot be read &amp; stays." in message["text"], (
        "no name of a file alerts everybody"
    )


def test_a_long_summary_is_cut_to_what_slack_takes() -> None:
    message = failure_message("x" * 10_000)
    assert all(len(block["text"]["text"]) <= 3000 for block in message["blocks"])


def test_a_run_that_fails_tells_the_chat_and_logs_its_end(tmp_path: Path) -> None:
    """Nobody looks at the screen of a schedule."""
    (tmp_path / "w.duckdb").write_text("no database")
    told = tmp_path / "chat.json"
    done = studyflow("run", "--raw", tmp_path, "--database", tmp_path / "w.duckdb", "--chat", told, "--log-json")
    assert done.returncode == 1
    assert "not a DuckDB database" in json.loads(told.read_text())["text"]
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["run started", "problem", "run finished"]
    assert events[-1]["exit_code"] == 1


AS_ANYBODY = "setpriv --bounding-set=-dac_override --inh-caps=-dac_override --" if os.geteuid() == 0 else ""
"""What root may not write to without this capability, others may not either."""


def read_only_project(folder: Path) -> Path:
    """A copy of the project in which nothing can be made."""
    for part in ("data", "macros", "models", "tests/dbt"):
        shutil.copytree(PROJECT / part, folder / part)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / file, folder)
    folder.chmod(0o555)
    return folder


def cron_entry() -> tuple[dict[str, str], str]:
    """The variables and the command of the example, taken apart as cron does."""
    lines = [line for line in (EXAMPLES / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    [entry] = [line for line in lines if not re.match(r"\w+=", line)]
    *when, command = re.split(r"\s+", entry, maxsplit=5)
    assert len(when) == 5
    return variables, command


@pytest.mark.slow(reason="dbt parses the project anew, for an example that rarely changes")
def test_the_example_for_cron_runs_in_what_cron_gives(team: Settings, tmp_path: Path) -> None:
    """That is next to no environment, the home folder, and sh. The user may read studyflow, and not write to it.

    Nor is there a folder for reports yet, into which the log goes before studyflow makes it.
    """
    variables, command = cron_entry()
    home = tmp_path / "home"
    (home / ".venv" / "bin").mkdir(parents=True)
    shim = home / ".venv" / "bin" / "studyflow"
    project = read_only_project(tmp_path / "studyflow project")
    shim.write_text(
        f'#!/bin/sh\ncd "{PROJECT}" && STUDYFLOW_PROJECT="{project}" exec {AS_ANYBODY} "{sys.executable}" -m pipelines "$@"\n'
    )
    shim.chmod(0o755)
    places = {
        "STUDYFLOW_HOME": str(home),
        "STUDYFLOW_RAW": str(team.raw[0]),
        "STUDYFLOW_DATABASE": str(tmp_path / "w.duckdb"),
        "STUDYFLOW_EXPORTS": str(tmp_path / "exports"),
        "STUDYFLOW_REPORTS": str(tmp_path / "reports"),
    }
    assert places.keys() == variables.keys() - {"MAILTO"}
    environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": str(home), "LOGNAME": "team", **places}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    log = [json.loads(line) for line in (tmp_path / "reports" / "run.log").read_text().splitlines()]
    assert done.returncode == 0
    assert done.stdout == done.stderr == "", "cron mails whatever is printed, so a run that went well prints nothing"
    assert [event["step"] for event in log if event["event"] == "step finished"] == [
        "load",
        "build",
        "check",
        "export",
        "report",
    ]
    assert log[-1]["exit_code"] == 0
    assert "index.html" in names(tmp_path / "reports")


@pytest.mark.parametrize(("code", "ends_with"), [(0, 0), (3, 0), (1, 1)])
def test_the_example_for_github_publishes_what_failed_checks(tmp_path: Path, code: int, ends_with: int) -> None:
    job = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())["jobs"]["report"]
    [script] = [step["run"] for step in job["steps"] if step.get("name") == "Run"]
    command = tmp_path / "studyflow" / ".venv" / "bin" / "studyflow"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\nexit {code}\n")
    command.chmod(0o755)
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == ends_with
    assert ("::warning::" in done.stdout) == (code == 3)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_the_example_for_systemd_is_right_for_systemd(tmp_path: Path) -> None:
    for name in ("studyflow.service", "studyflow.timer"):
        text = (EXAMPLES / name).read_text().replace("/srv/studyflow/.venv/bin/studyflow", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stderr, done.stderr


def test_the_options_in_the_examples_are_there() -> None:
    """An example that is pasted a year from now must still be called rightly."""
    told = "".join(studyflow(command, "--help", COLUMNS="200").stdout for command in ("run", "receive"))
    texts = " ".join(path.read_text() for path in EXAMPLES.iterdir()) + (PROJECT / "docs/scheduling.md").read_text()
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", texts)) - {"--now"}
    assert options <= set(re.findall(r"--[a-z-]+", told)), options
