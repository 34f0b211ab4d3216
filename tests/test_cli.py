"""The command as a person and a scheduler meet it: real processes, exit codes, what goes to which stream."""

import json
from pathlib import Path
from typing import Any

import pytest
from oracle.backtest import statements
from oracle.lines import deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES
from processes import BUILD_VARS, PROJECT, studyflow
from product import rows
from sample import sample_files, sample_studies

from pipelines.settings import sample_as_of
from pipelines.state import last_build
from pipelines.warehouse import connect

pytestmark = pytest.mark.usefixtures("parsed_project")

EVENT = (
    '{"_eventType":"participant.status_changed","participantId":"%s","personId":"person","studyId":"study",'
    '"status":"INVITE_SENT","priorStatus":null,"updatedAt":"2026-03-01T09:00:00Z"}\n'
)


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run of the sample, as JSON, with the paths it used."""
    folder = tmp_path_factory.mktemp("sample")
    done = studyflow(
        "run", "--database", folder / "w.duckdb", "--exports", folder / "out", "--json", DBT_TARGET_PATH=str(folder)
    )
    assert done.returncode == 0, done.stderr
    return {"folder": folder, "summary": json.loads(done.stdout), "stderr": done.stderr}


def test_the_sample_run_accounts_for_every_line(sample_run: dict[str, Any]) -> None:
    # The identity of spec section 2, on what the user is told.
    accounting = sample_run["summary"]["accounting"]
    rejected = sum(accounting["rejected"].values())
    assert accounting["lines"] == accounting["blank"] + accounting["accepted"] + accounting["other_events"] + rejected
    assert accounting["accepted"] == accounting["distinct_changes"] + accounting["repeated_deliveries"]
    assert len(accounting["rejected"]) == 7, "the sample has rejects of every reason"


def test_json_leaves_everything_else_unsaid(sample_run: dict[str, Any]) -> None:
    # A scheduler parses standard output, and mails what is on standard error.
    assert sample_run["stderr"] == ""


def test_the_sample_speaks_for_its_own_last_day(sample_run: dict[str, Any]) -> None:
    # Ages against today's date would grow for ever and mean nothing.
    assert sample_run["summary"]["as_of"] == (PROJECT / "data/sample/as_of.txt").read_text().strip()


def test_stages_sum_to_participants(sample_run: dict[str, Any]) -> None:
    summary = sample_run["summary"]
    assert sum(summary["participants_by_stage"].values()) == summary["participants"] > 0
    assert len(summary["participants_by_stage"]) == 7


def test_status_agrees_with_the_run_and_a_second_run_changes_nothing(sample_run: dict[str, Any]) -> None:
    folder, before = sample_run["folder"], sample_run["summary"]
    again = studyflow(
        "run", "--database", folder / "w.duckdb", "--exports", folder / "out", "--json", DBT_TARGET_PATH=str(folder)
    )
    assert again.returncode == 0, again.stderr
    after = json.loads(again.stdout)
    assert after["loaded"]["lines_read"] == 0
    assert after["built"] == after["exports"]["wrote"] == "nothing"
    assert after["checks"] is None, "what was found right and has not changed is not checked again"
    (folder / "out" / "done.csv").unlink()
    mended = studyflow("run", "--database", folder / "w.duckdb", "--exports", folder / "out", "--json")
    assert json.loads(mended.stdout)["exports"]["wrote"] == "all", "a file that somebody deleted comes back"
    assert (folder / "out" / "done.csv").exists()
    status = json.loads(studyflow("status", "--database", folder / "w.duckdb", "--json").stdout)
    for key in ("accounting", "participants_by_stage", "gaps", "trust", "as_of", "files"):
        assert before[key] == after[key] == status[key]


@pytest.mark.slow(reason="four runs; test_incremental.py has what is built, the test above a run without news")
def test_a_scheduled_run_costs_what_is_new(tmp_path: Path) -> None:
    """What is loaded and built after something has arrived is what that touches; all is checked and exported.

    In a project in which that begins with the first line, because below some size a build makes everything anew.
    """
    raw = tmp_path / "raw"
    always = json.dumps({"incremental_from_lines": 0, "incremental_up_to_share": 1})
    where = {BUILD_VARS: always, "DBT_TARGET_PATH": str(tmp_path / "target")}
    places = ("--raw", raw, "--database", tmp_path / "w.duckdb", "--exports", tmp_path / "out", "--json")

    def run(day: int) -> dict[str, Any]:
        as_of = ("--as-of", f"2026-08-{day:02}T00:00:00Z")
        done = studyflow("run", *places, *as_of, **where)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    studyflow("generate", raw, "--participants", "30", "--studies", "3", "--malformed", "0")
    whole = run(10)
    (raw / "later.jsonl").write_text(EVENT % "one")
    touched, again = run(11), run(11)
    assert [(made["built"], made["exports"]["wrote"]) for made in (whole, touched, again)] == [
        ("all", "all"),
        ("touched", "all"),
        ("nothing", "nothing"),
    ]
    assert sum(whole["checks"]["rows"].values()) < sum(touched["checks"]["rows"].values())
    assert touched["participants"] == again["participants"] == whole["participants"] + 1
    assert "Nothing new" in studyflow("run", *places[:-1], "--as-of", "2026-08-11T00:00:00Z", **where).stdout


def test_a_memory_limit_that_is_none_is_named(sample_run: dict[str, Any]) -> None:
    done = studyflow("status", "--database", sample_run["folder"] / "w.duckdb", STUDYFLOW_MEMORY_LIMIT="much")
    assert done.returncode == 1
    assert "STUDYFLOW_MEMORY_LIMIT is 'much'" in done.stderr


def test_every_file_that_the_run_names_is_there(sample_run: dict[str, Any]) -> None:
    files = sample_run["summary"]["exports"]["files"]
    assert len(files) == 12
    assert all((sample_run["folder"] / "out" / file).exists() for file in files)


def test_checks_warn_of_rejected_lines_and_fail_of_them_when_strict(sample_run: dict[str, Any]) -> None:
    database = sample_run["folder"] / "w.duckdb"
    assert studyflow("check", "--database", database).returncode == 0
    strict = studyflow("check", "--database", database, "--strict")
    assert strict.returncode == 3
    assert "invalid_timestamp" in strict.stdout


def test_tables_of_another_moment_are_not_passed_off_as_those_asked_for(sample_run: dict[str, Any]) -> None:
    database, out = sample_run["folder"] / "w.duckdb", sample_run["folder"] / "other"
    done = studyflow("export", "--database", database, "--exports", out, "--as-of", "2026-07-01T00:00:00Z")
    assert done.returncode == 1
    assert "data as of 2026-08-01T00:00:00Z" in done.stderr
    assert not out.exists()


def test_own_files_do_not_get_mixed_with_the_sample(tmp_path: Path) -> None:
    # Whoever forgets --raw once must not find invented participants in the team's warehouse.
    own, database = tmp_path / "own.jsonl", tmp_path / "own.duckdb"
    own.write_text(EVENT % "one")
    assert studyflow("load", own, "--database", database).returncode == 0
    forgotten = studyflow("run", "--database", database)
    assert forgotten.returncode == 1
    assert "--raw" in forgotten.stderr


def test_status_tells_of_what_is_loaded_before_anything_is_built(tmp_path: Path) -> None:
    own, database = tmp_path / "own.jsonl", tmp_path / "own.duckdb"
    own.write_text(EVENT % "one" + EVENT % "one" + "\n" + "{}\n" + '{"half')
    assert studyflow("load", "--database", database, STUDYFLOW_RAW=str(own)).returncode == 0
    status = json.loads(studyflow("status", "--database", database, "--json").stdout)
    assert status["accounting"] == {
        "lines": 4,
        "blank": 1,
        "accepted": 2,
        "other_events": 0,
        "rejected": {"missing_field": 1},
        "distinct_changes": 1,
        "repeated_deliveries": 1,
        "batch_lines": 0,
        "batch_deliveries": 0,
        "forgotten": 0,
    }
    assert status["unfinished_files"] == 1
    assert status["as_of"] is None


@pytest.mark.slow(reason="a load, a build and a look, each a process")
def test_own_files_are_never_built_as_of_the_day_of_the_sample(tmp_path: Path) -> None:
    # Loaded by name and built later, with no --raw anywhere: the moment is now, and later changes count.
    own, database = tmp_path / "own.jsonl", tmp_path / "w.duckdb"
    own.write_text((EVENT % "one").replace("2026-03-01", "2026-09-01"))
    assert studyflow("load", own, "--database", database).returncode == 0
    assert studyflow("build", "--database", database, DBT_TARGET_PATH=str(tmp_path / "target")).returncode == 0
    status = json.loads(studyflow("status", "--database", database, "--json").stdout)
    assert status["participants"] == 1
    assert status["as_of"] > "2026-09-01"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--as-of", "yesterday"], "time zone"),
        (["run", "--as-of", "2026-03-01T00:00:00"], "needs a"),
        (["run", "--no-such-option"], "No such option"),
        (["generate", "OUT", "--participants", "0"], "at least one"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(words: list[str], says: str, tmp_path: Path) -> None:
    done = studyflow(*(str(tmp_path / "out") if word == "OUT" else word for word in words))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_done_is_said_in_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.duckdb"
    text.write_text("this is no database, although it is long enough to be looked at as one. " * 99)
    one = tmp_path / "one.jsonl"
    one.write_text(EVENT % "one")
    cases: list[tuple[list[str | Path], str]] = [
        (["load", tmp_path / "nothing.jsonl", "--database", tmp_path / "w.duckdb"], "no such file"),
        (["status", "--database", tmp_path / "none.duckdb"], "no warehouse here yet"),
        (["check", "--database", tmp_path / "w.duckdb"], "not been built"),
        (["export", "--database", tmp_path / "w.duckdb"], "not been built"),
        (["load", one, "--database", text], "not a DuckDB database"),
        (["load", one, "--database", one / "below.duckdb"], "cannot be created"),
    ]
    for words, says in cases:
        done = studyflow(*words)
        assert done.returncode == 1, words
        assert says in done.stderr, words
        assert "Traceback" not in done.stderr
        assert "nanobind" not in done.stderr


def test_a_file_that_cannot_be_read_fails_the_load_but_not_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text(EVENT % "one")
    (tmp_path / "bad.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00 cut off")
    done = studyflow("load", tmp_path, "--database", tmp_path / "w.duckdb", "--json")
    assert done.returncode == 1
    loaded = json.loads(done.stdout)
    assert loaded["accounting"]["accepted"] == 1
    assert "bad.jsonl.gz" in loaded["loaded"]["problems"][0]


def test_a_report_is_written_and_its_files_are_named(sample_run: dict[str, Any], tmp_path: Path) -> None:
    # What stands on standard output is what a script mails.
    done = studyflow("report", "--database", sample_run["folder"] / "w.duckdb", "--out", tmp_path / "monday.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(tmp_path / "monday.html")]
    assert "Needs action" in (tmp_path / "monday.html").read_text(encoding="utf-8")


def test_a_report_of_a_study_that_is_not_known_is_refused_in_a_sentence(
    sample_run: dict[str, Any], tmp_path: Path
) -> None:
    # A traceback tells nobody that the id was mistyped.
    database = sample_run["folder"] / "w.duckdb"
    done = studyflow("report", "--study", "churn survy", "--database", database, "--reports", tmp_path)
    assert done.returncode == 1
    assert "Churn survey" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_backtest_says_what_forecasts_of_past_weeks_came_to(sample_run: dict[str, Any]) -> None:
    """Every statement as the oracle has it, and how many came true. The tables of the last run stay as they are."""
    database, picture = sample_run["folder"] / "w.duckdb", sample_run["folder"] / "calibration.svg"
    with connect(database, read_only=True) as connection:
        before = connection.execute("select * from intermediate.int_forecasts order by all").fetchall()
    done = studyflow("backtest", "--weeks", "3", "--database", database, "--plot", picture)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    changes = list(dict.fromkeys(deliveries(read_lines(sample_files(), DEFAULT_STATUSES))))
    wanted = statements(changes, sample_as_of(), 3, sample_studies())
    with connect(database, read_only=True) as connection:
        made = rows(connection, "state.forecast_statements")
        assert connection.execute("select * from intermediate.int_forecasts order by all").fetchall() == before
        assert last_build(connection) is not None, "or the next run makes everything anew"
    got = {}
    for row in made:
        horizon = row["days"] if row["statement"] == "at_least" else None
        key = (row["moment"], row["study_id"], row["statement"], row["confidence"], horizon)
        got[key] = (row["days"], row["number"], row["came"], row["was_full"])
    assert got == wanted
    assert {kind for _, _, kind, _, _ in wanted} == {"at_least"}, "full_by: the unit test of int_forecast_statements"
    true = [one.came >= one.number for key, one in wanted.items() if key[3] == 80 and one.came is not None]
    assert [(row["judged"], row["came_true"]) for row in said["overall"] if row["confidence"] == 80] == [
        (len(true), sum(true))
    ]
    assert all(row["chance"] >= row["confidence"] / 100 - 1e-6 for row in made)
    assert picture.read_text(encoding="utf-8").startswith("<svg")
