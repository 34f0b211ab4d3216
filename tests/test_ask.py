"""Questions on a terminal and in a pipe: what is shown is what the marts say, and nothing reaches further than it should."""

import csv
import io
import json
from datetime import date, datetime
from pathlib import Path

import pytest
from ask_warehouse import AS_OF, Ask, line, make
from product import Product

from pipelines.ask.forecast import how_many, when_full
from pipelines.ask.warehouse import reading
from pipelines.load.loader import load
from pipelines.report.tables import forecast_line
from pipelines.warehouse import connect


def test_a_pipe_gets_csv_with_what_the_mart_says(ask: Ask, ask_database: Path) -> None:
    """Every value, with the time it is as of in the table itself: nothing is said beside it."""
    answer = ask("funnel", "st-1")
    assert answer.stderr == ""
    rows = list(csv.DictReader(io.StringIO(answer.stdout), strict=True))
    with reading(ask_database) as connection:
        mart = connection.execute(
            "select step, cast(reached as varchar), cast(conversion_from_previous as varchar) from marts.study_funnel "
            "where study_id = 'st-1' order by step_order"
        ).fetchall()
    assert [(row["step"], row["reached"], row["conversion_from_previous"] or None) for row in rows] == mart
    assert {datetime.fromisoformat(row["as_of"]) for row in rows} == {AS_OF}


def test_json_has_the_types_of_the_mart(ask: Ask) -> None:
    """Numbers are numbers, null is null; the history stands within its participant."""
    said = json.loads(ask("who", "person-2", "--json").stdout)
    assert said["as_of"] == "2026-07-31T12:00:00.000Z"
    assert [(one["participant_id"], len(one["changes"])) for one in said["participants"]] == [("p-2", 8), ("p-5", 3)]
    first = said["participants"][0]["changes"][0]
    assert (first["sequence_number"], first["is_inferred"], first["prior_status"]) == (1, False, None)
    backlog = json.loads(ask("backlog", "--json", "--limit", "1").stdout)
    assert backlog["totals"] == {
        "participants": 3,
        "overdue": 2,
        "hidden": 1,
        "states": 1,
        "amount_cents": 10000,
        "amounts": [{"currency": "EUR", "amount_cents": 10000}],
        "without_amount": 1,
    }
    assert [row["participant_id"] for row in backlog["participants"]] == ["p-gap"]
    assert [step["reached"] for step in json.loads(ask("funnel", "st-3", "--json").stdout)["steps"]] == [30, 30, 20, 10]


def test_a_history_tells_of_gaps_lateness_and_repeated_deliveries(ask: Ask) -> None:
    changes = json.loads(ask("who", "p-gap", "--json").stdout)["participants"][0]["changes"]
    assert [change["sequence_number"] for change in changes if change["is_gap_before"]] == [3, 6]
    assert [change["sequence_number"] for change in changes if change["is_inferred"]] == [3]
    completed = changes[4]
    assert (completed["deliveries"], completed["late_hours"], completed["line_number"]) == (2, 51.0, 28)
    assert completed["received_at"] == "2026-07-13T12:00:00.000Z", "the first of the two"


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ([], ["p-gap", "p-2", "p-5"]),
        (["--overdue"], ["p-gap", "p-2"]),
        (["--hidden"], ["p-gap"]),
        (["--study", "onboarding, week 2"], ["p-5"]),
        (["--state", "unclaimed"], []),
    ],
)
def test_the_backlog_can_be_narrowed(ask: Ask, words: list[str], who: list[str]) -> None:
    rows = csv.DictReader(io.StringIO(ask("backlog", *words).stdout))
    assert [row["participant_id"] for row in rows] == who


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("onboarding", ["matches several", "st-1  Onboarding, week 1", "st-2  Onboarding, week 2"]),
        ("Onbording, week 1", ["no study has this id or name", "st-1  Onboarding, week 1"]),
        ("zzz", ["no study has this id or name", "studyflow studies"]),
        ("", ["no study"]),
    ],
)
def test_a_study_that_is_not_clear_is_not_guessed(ask: Ask, search: str, says: list[str]) -> None:
    answer = ask("funnel", search)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert [words for words in says if words not in answer.stderr] == []


@pytest.mark.parametrize("search", ["st-2", "ST-2", "Onboarding, week 2", "onboarding, WEEK 2"])
def test_a_study_goes_by_its_id_or_name(ask: Ask, search: str) -> None:
    assert json.loads(ask("funnel", search, "--json").stdout)["study_id"] == "st-2"


def test_a_participant_that_is_not_there_is_said_with_those_alike(ask: Ask) -> None:
    answer = ask("who", "p-gapp")
    assert answer.returncode == 1
    assert "'p-gapp': no participant" in answer.stderr
    assert "\n  p-gap\n" in answer.stderr
    assert "\n  Ada Lovelace\n" in ask("who", "Ada Lovlace").stderr


@pytest.mark.parametrize(
    ("search", "participants"),
    [
        ("person-2", ["p-2", "p-5"]),
        ("ADA LOVELACE", ["p-2", "p-5"]),
        ("Ada@Example.com", ["p-2", "p-5"]),
        ("lovelace", ["p-2", "p-5"]),
        ("GAP", ["p-gap"]),
        ("p-gp", ["p-gap"]),
        ("p-3", ["p-3"]),
        ("prson-2", ["p-2", "p-5"]),
    ],
)
def test_people_go_by_name_and_by_parts_of_ids(ask: Ask, search: str, participants: list[str]) -> None:
    """Ids of 25 characters are copied without their first or last one, and nobody remembers them."""
    found = json.loads(ask("who", search, "--json").stdout)["participants"]
    assert [one["participant_id"] for one in found] == participants


@pytest.mark.parametrize(
    ("search", "listed"),
    [
        ("ada", ["p-2  Ada Lovelace  Onboarding, week 1", "p-5  Ada Lovelace  Onboarding, week 2", "p-3  Ada Palmer"]),
        ("Grace Hopper", ["q-00  Grace Hopper  st-3", "q-01  grace hopper  st-3"]),
        ("q-", ["q-00  Grace Hopper  st-3", "q-19  st-3", "…"]),
    ],
)
def test_people_of_one_name_are_listed_not_guessed(ask: Ask, search: str, listed: list[str]) -> None:
    answer = ask("who", search)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "matches several people" in answer.stderr
    assert [words for words in listed if f"\n  {words}" not in answer.stderr] == []
    assert answer.stderr.count("\n  ") <= 21


def test_the_changes_of_a_person_say_in_which_study_they_were(ask: Ask) -> None:
    rows = csv.DictReader(io.StringIO(ask("who", "person-2").stdout))
    assert {(row["study_id"], row["study_name"]) for row in rows} == {
        ("st-1", "Onboarding, week 1"),
        ("st-2", "Onboarding, week 2"),
    }


def test_a_state_that_there_is_not_is_wrong_usage(ask: Ask) -> None:
    """A schedule must not take its own typo for a run that failed."""
    answer = ask("backlog", "--state", "unpaid")
    assert answer.returncode == 2
    assert "unknown backlog state 'unpaid'; one of: not_sent, unclaimed, undelivered" in answer.stderr


def test_forecasts_are_what_the_mart_says(ask: Ask, ask_database: Path) -> None:
    """JSON in a pipe, for scripts that invite; of one study or all."""
    found = json.loads(ask("forecast").stdout)["studies"]
    with reading(ask_database) as connection:
        mart = connection.execute("select study_id, completed, too_little_known from marts.study_forecast").fetchall()
    assert sorted((one["study_id"], one["completed"], one["too_little_known"]) for one in found) == sorted(mart)
    assert [one["study_id"] for one in json.loads(ask("forecast", "st-3").stdout)["studies"]] == ["st-3"]
    assert "only people who have already been invited" in ask("forecast", "--table").stdout.lower()


def test_lists_are_those_of_the_marts(ask: Ask, ask_database: Path) -> None:
    """Whoever exports to_nudge.csv and whoever asks here must find the same people in the same order."""

    def listed(column: str, *words: str) -> list[str]:
        return [row[column] for row in csv.DictReader(io.StringIO(ask(*words).stdout))]

    with reading(ask_database) as connection:

        def mart(query: str) -> list[str]:
            return [value for (value,) in connection.execute(query).fetchall()]

        nudged = mart("select participant_id from marts.to_nudge order by place, participant_id")
        invited = mart("select person_id from marts.may_be_invited order by place, person_id")
        studies = mart("select study_id from marts.study_progress order by is_closed, last_change_at desc")
    assert nudged
    assert listed("participant_id", "stalled") == nudged
    assert listed("participant_id", "stalled", "--study", "onboarding, week 1") == ["p-3"]
    assert listed("participant_id", "stalled", "--action", "let_go") == []
    assert listed("person_id", "invitable") == invited
    assert listed("person_id", "invitable", "--study", "st-1") == ["person of p-4"], "not invited yet, unlike p-3"
    assert listed("study_id", "studies") == studies
    assert listed("study_name", "studies", "--open") == ["", "Onboarding, week 1"]
    assert sum(map(int, listed("stalled", "studies"))) == len(nudged)


def test_lists_as_json_have_totals_of_all_rows(ask: Ask) -> None:
    """A script that asks for ten rows must still see how many there are."""
    said = json.loads(ask("stalled", "--json", "--limit", "1").stdout)
    assert said["totals"] == {"remind": 11, "move_by_hand": 0, "let_go": 0}
    assert [row["action"] for row in said["participants"]] == ["remind"]
    said = json.loads(ask("invitable", "--json", "--limit", "1").stdout)
    assert said["totals"] == {"people": 32, "active_in_no_study": 1}
    assert [row["person_id"] for row in said["people"]] == ["person of p-4"]


def test_the_words_of_a_forecast() -> None:
    """Each state of a study has its own: a day where none is known would be believed."""
    full = {"full_on_50": date(2026, 8, 14), "earliest_80_on": date(2026, 8, 10), "latest_80_on": date(2026, 8, 21)}
    row = {"is_closed": False, "is_full": False, "too_little_known": False, "target": 40, **full}
    assert when_full(row) == "by 14 Aug (80%: 10 Aug to 21 Aug)"
    assert when_full(row | {"latest_80_on": None}) == "by 14 Aug, uncertain"
    assert when_full(row | {"full_on_50": None}) == "needs more invitations"
    assert when_full(row | {"target": None}) == "no target"
    assert when_full(row | {"too_little_known": True}) == "too little known"
    assert how_many({"invite_by": date(2026, 8, 14), "invite_80": 35}) == "35, for 14 Aug"
    assert how_many({"invite_by": date(2026, 8, 14), "invite_80": 0}) == "nobody"
    assert how_many({"invite_by": date(2026, 8, 14), "invite_80": None}) == "too little known"


def test_a_line_of_the_report_says_when_it_is_full_and_how_many_to_invite() -> None:
    """And, where forecasts of the study seldom came true, that; nothing of a study that is closed or full."""
    full = {"full_on_50": date(2026, 8, 14), "earliest_80_on": date(2026, 8, 10), "latest_80_on": date(2026, 8, 21)}
    row = {"is_closed": False, "is_full": False, "too_little_known": False, "target": 40, **full}
    row |= {"invite_by": date(2026, 8, 14), "invite_80": 35}

    def said(**other: object) -> str:
        return forecast_line(row | other).replace("\N{NO-BREAK SPACE}", " ")

    assert said() == "full by 14 Aug (80%: 10 Aug to 21 Aug); invite 35 more today"
    assert said(invite_80=0) == "full by 14 Aug (80%: 10 Aug to 21 Aug)"
    assert said(too_little_known=True, invite_by=None, invite_80=None) == "too little known"
    assert said(full_on_50=None, invite_80=None).endswith("too little known to say how many to invite")
    assert said(is_unreliable=True, came_true_80=20, judged_80=40).endswith(
        "only 20 of 40 past forecasts like this came true"
    )
    assert said(is_closed=True) == ""


def test_a_forecast_is_shown_with_its_record(ask: Ask, ask_database: Path) -> None:
    """Of the study, or of all where it has too few cases; a warning only where it came true too seldom."""
    assert "80% came true" not in ask("forecast", "--table").stdout, "there was no backtest"
    with connect(ask_database) as connection:
        connection.execute("create schema if not exists state")
        connection.execute(
            "create table state.forecast_record as select * from (values "
            "(null, null, 80, 400, 320, true, false), ('st-1', null, 80, 60, 20, true, true), "
            "('st-3', null, 80, 9, 1, false, false), (null, 'full_by', 80, 40, 10, true, true)"
            ") as given (study_id, statement, confidence, judged, came_true, is_enough, is_unreliable)"
        )
    try:
        said = {row["study_id"]: row for row in json.loads(ask("forecast", "--json").stdout)["studies"]}
        assert [(said[name]["came_true_80"], said[name]["is_unreliable"]) for name in ("st-1", "st-2", "st-3")] == [
            *((20, True), (320, False), (320, False)),
        ]
        table = ask("forecast", "--table").stdout
        assert "20 of 60" in table
        assert "320" not in table
    finally:
        with connect(ask_database) as connection:
            connection.execute("drop table state.forecast_record")


def test_people_contacted_too_much_are_those_over_a_limit_now(ask: Ask, ask_database: Path) -> None:
    with reading(ask_database) as connection:
        over = connection.execute(
            "select distinct person_id from contact_limits, built_as_of "
            "where in_window_now > at_most and last_exceeded_at + to_days(within_days) > as_of order by all"
        ).fetchall()
    rows = list(csv.DictReader(io.StringIO(ask("contacted").stdout), strict=True))
    assert sorted(row["person_id"] for row in rows) == [person for (person,) in over]
    assert json.loads(ask("contacted", "--json").stdout)["totals"] == {"people": len(over)}


def test_before_a_build_it_says_what_to_run(ask: Ask, tmp_path: Path) -> None:
    events, database = tmp_path / "events.jsonl", tmp_path / "w.duckdb"
    events.write_text(json.dumps(line("p", "s", "NOT_STARTED", None, 0)) + "\n")
    with connect(database) as connection:
        load(connection, [events])
    for words in (["studies"], ["funnel", "s"], ["forecast"], ["stalled"], ["contacted"], ["backlog"], ["who", "p"]):
        answer = ask(*words, "--database", str(database))
        assert (answer.returncode, "not been built" in answer.stderr) == (1, True)
    count = "select count(*) as n from raw.deliveries"
    assert ask("sql", count, "--database", str(database)).stdout == "n\n1\n"


def test_an_empty_warehouse_has_empty_lists(ask: Ask, product: Product, tmp_path: Path) -> None:
    database = str(make(product, tmp_path, []))
    for command in ("stalled", "invitable", "contacted", "backlog"):
        assert ask(command, "--table", "--database", database).stdout.endswith("\nNobody.\n")
    assert json.loads(ask("studies", "--json", "--database", database).stdout)["studies"] == []
    assert json.loads(ask("backlog", "--json", "--database", database).stdout)["participants"] == []
