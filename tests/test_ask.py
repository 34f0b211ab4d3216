"""Questions on a terminal and in a pipe: what is shown is what the marts say, and nothing reaches further than it should."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asked import AS_OF, GOLDEN, HOSTILE, line, make, pages
from hypothesis import given
from hypothesis import strategies as st
from processes import PROJECT
from product import Product
from rich.console import Console

from pipelines.ask.forecast import how_many, when_full
from pipelines.ask.show import Headings, put_lines
from pipelines.ask.values import as_json, cells
from pipelines.ask.warehouse import reading
from pipelines.cli import app, main
from pipelines.load.loader import load
from pipelines.plain import plain
from pipelines.report.forecast import forecast_line
from pipelines.warehouse import connect


class Answered(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Asked = Callable[..., Answered]


@pytest.fixture(scope="module")
def database(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(product, tmp_path_factory.mktemp("asked"))


@pytest.fixture
def ask(database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """The command in this process, which is what makes asking often affordable."""

    def run(*words: str) -> Answered:
        monkeypatch.setattr(sys, "argv", ["studyflow", *words])
        monkeypatch.setenv("STUDYFLOW_DATABASE", str(database))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Answered(code, said.out, said.err)

    return run


def test_what_a_terminal_shows_is_what_it_was(database: Path) -> None:
    """At 100 columns. `tests/asked.py` writes new golden files; read what changed in them."""
    assert pages(database) == {file.name: file.read_text(encoding="utf-8") for file in GOLDEN.iterdir()}


def test_a_pipe_gets_csv_with_what_the_mart_says(ask: Asked, database: Path) -> None:
    """Every value, with the time it is as of in the table itself: nothing is said beside it."""
    answered = ask("funnel", "st-1")
    assert answered.stderr == ""
    rows = list(csv.DictReader(io.StringIO(answered.stdout), strict=True))
    with reading(database) as connection:
        mart = connection.execute(
            "select step, cast(reached as varchar), cast(conversion_from_previous as varchar) from marts.study_funnel "
            "where study_id = 'st-1' order by step_order"
        ).fetchall()
    assert [(row["step"], row["reached"], row["conversion_from_previous"] or None) for row in rows] == mart
    assert {datetime.fromisoformat(row["as_of"]) for row in rows} == {AS_OF}


def test_json_has_the_types_of_the_mart(ask: Asked) -> None:
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


def test_a_history_tells_of_gaps_lateness_and_repeated_deliveries(ask: Asked) -> None:
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
def test_the_backlog_can_be_narrowed(ask: Asked, words: list[str], who: list[str]) -> None:
    rows = csv.DictReader(io.StringIO(ask("backlog", *words).stdout))
    assert [row["participant_id"] for row in rows] == who


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("onboarding", ["matches several", "st-1  Onboarding, week 1", "st-2  Onboarding, week 2"]),
        ("Onbording, week 1", ["no study has this id or name", "st-1  Onboarding, week 1"]),
        ("zzz", ["no study has this id or name", "studyflow studies"]),
        ("", ["no study"]),
    ],
)
def test_a_study_that_is_not_clear_is_not_guessed(ask: Asked, asked: str, says: list[str]) -> None:
    answered = ask("funnel", asked)
    assert (answered.returncode, answered.stdout) == (1, "")
    assert [words for words in says if words not in answered.stderr] == []


@pytest.mark.parametrize("asked", ["st-2", "ST-2", "Onboarding, week 2", "onboarding, WEEK 2"])
def test_a_study_goes_by_its_id_or_name(ask: Asked, asked: str) -> None:
    assert json.loads(ask("funnel", asked, "--json").stdout)["study_id"] == "st-2"


def test_a_participant_that_is_not_there_is_said_with_those_alike(ask: Asked) -> None:
    answered = ask("who", "p-gapp")
    assert answered.returncode == 1
    assert "'p-gapp': no participant" in answered.stderr
    assert "\n  p-gap\n" in answered.stderr
    assert "\n  Ada Lovelace\n" in ask("who", "Ada Lovlace").stderr


@pytest.mark.parametrize(
    ("asked", "participants"),
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
def test_people_go_by_name_and_by_parts_of_ids(ask: Asked, asked: str, participants: list[str]) -> None:
    """Ids of 25 characters are copied without their first or last one, and nobody remembers them."""
    found = json.loads(ask("who", asked, "--json").stdout)["participants"]
    assert [one["participant_id"] for one in found] == participants


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("ada", ["p-2  Ada Lovelace  Onboarding, week 1", "p-5  Ada Lovelace  Onboarding, week 2", "p-3  Ada Palmer"]),
        ("Grace Hopper", ["q-00  Grace Hopper  st-3", "q-01  grace hopper  st-3"]),
        ("q-", ["q-00  Grace Hopper  st-3", "q-19  st-3", "…"]),
    ],
)
def test_people_of_one_name_are_listed_not_guessed(ask: Asked, asked: str, listed: list[str]) -> None:
    answered = ask("who", asked)
    assert (answered.returncode, answered.stdout) == (1, "")
    assert "matches several people" in answered.stderr
    assert [words for words in listed if f"\n  {words}" not in answered.stderr] == []
    assert answered.stderr.count("\n  ") <= 21


def test_the_changes_of_a_person_say_in_which_study_they_were(ask: Asked) -> None:
    rows = csv.DictReader(io.StringIO(ask("who", "person-2").stdout))
    assert {(row["study_id"], row["study_name"]) for row in rows} == {
        ("st-1", "Onboarding, week 1"),
        ("st-2", "Onboarding, week 2"),
    }


def test_a_state_that_there_is_not_is_wrong_usage(ask: Asked) -> None:
    """A schedule must not take its own typo for a run that failed."""
    answered = ask("backlog", "--state", "unpaid")
    assert answered.returncode == 2
    assert "unknown backlog state 'unpaid'; one of: not_sent, unclaimed, undelivered" in answered.stderr


def test_sql_finds_tables_without_their_schema(ask: Asked) -> None:
    """`show tables` is what people type first."""
    shown = ask("sql", "show tables").stdout.split()
    assert {"participants", "data_notes", "participant_statuses"} <= set(shown)
    assert ask("sql", "select count(*) from participants, built_as_of").returncode == 0


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("selec 1", "syntax error"),
        ("select * from marts.nothing", "does not exist"),
        ("drop table marts.people", "only read"),
        ("copy marts.people to 'people.csv'", "no other file"),
        ("from read_csv('README.md')", "no other file"),
        ("attach 'other.duckdb'", "no other file"),
        ("set enable_external_access = true", "locked"),
        ("select cast('\x1b[2J' as integer)", r"\x1b[2J"),
        ("", "query is empty"),
        ("/* nothing */", "query is empty"),
    ],
)
def test_sql_only_reads_the_warehouse(ask: Asked, query: str, says: str) -> None:
    """Whoever is let near it can neither change it nor read or write anything else by it."""
    answered = ask("sql", query)
    assert (answered.returncode, answered.stdout) == (1, "")
    assert says in answered.stderr
    assert "Traceback" not in answered.stderr
    assert "\x1b" not in answered.stderr


def test_sql_comes_from_an_argument_standard_input_or_a_file(ask: Asked, database: Path, tmp_path: Path) -> None:
    """With comments and a semicolon; of several statements the last one answers."""
    file = tmp_path / "q.sql"
    file.write_text(
        "\ufeffset variable study = 'st-1'; -- which\nselect getvariable('study') as study;\n", encoding="utf-8"
    )
    assert ask("sql", "--file", str(file)).stdout == "study\nst-1\n"
    piped = subprocess.run(
        [sys.executable, "-m", "pipelines", "sql", "-", "--database", str(database)],
        input="select 'é' as é",
        cwd=PROJECT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert piped.stdout == "é\né\n"
    assert [ask("sql").returncode, ask("sql", "select 1", "--file", str(file)).returncode] == [2, 2]
    assert ask("sql", "select 1", "--csv", "--json").returncode == 2


def test_values_that_csv_and_json_lack_are_said_all_the_same(ask: Asked) -> None:
    query = """
        select
            1.10::decimal(4, 2) as d, interval 1 month as i, 'nan'::double as n, '\\xAA\\x41'::blob as b, null as z, '' as e,
            170141183460469231731687303715884105727::hugeint as h, {'a': [1, null], 'b': {'c': 'x'}} as s,
            map {'k': 1} as m, '{"a": [1.10, true]}'::json as j, timestamptz 'infinity' as t, date '2026-01-02' as day,
            timestamp_ns '2026-01-01 00:00:00.123456789' as ns, timestamptz '2026-01-01T02:00:00.5+02' as at_, true as yes,
            'a"b' as "q""x", 1 as twice, 2 as twice
    """
    text = ask("sql", query, "--json").stdout
    [row] = json.loads(text)
    assert row | {"h": 0} == {
        "d": 1.1,
        "i": "1 month",
        "n": None,
        "b": r"\xAAA",
        "z": None,
        "e": "",
        "h": 0,
        "s": {"a": [1, None], "b": {"c": "x"}},
        "m": {"k": 1},
        "j": {"a": [1.1, True]},
        "t": "infinity",
        "day": "2026-01-02",
        "ns": "2026-01-01 00:00:00.123456789",
        "at_": "2026-01-01T00:00:00.500Z",
        "yes": True,
        'q"x': 'a"b',
        "twice": 1,
        "twice_1": 2,
    }
    assert row["h"] == 170141183460469231731687303715884105727
    assert '"d": 1.10,' in text, "a decimal keeps its digits"
    header, [cell, *_] = csv.reader(io.StringIO(ask("sql", query).stdout), strict=True)
    assert (header[0], cell) == ("d", "1.10")
    assert ',"",' in ask("sql", query).stdout, "empty text is not null"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_any_text_is_read_from_csv_as_it_was(texts: list[str]) -> None:
    line_of = cells(["VARCHAR"] * len(texts))(tuple(texts))
    assert next(csv.reader(io.StringIO(line_of, newline=""), strict=True)) == texts


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
    st.booleans(),
)
def test_any_value_is_read_from_json_as_it_was(value: Any, ascii_only: bool) -> None:  # noqa: ANN401, FBT001
    text = as_json(value, ascii_only=ascii_only)
    assert json.loads(text) == value
    assert text.isascii() or not ascii_only


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left_in_plain_text(text: str) -> None:
    """Escape sequences, C1 controls, line ends, marks that turn text around."""
    assert not {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e", "\u2066", "\u2028"} & set(plain(text))
    assert plain(plain(text)) == plain(text)


def test_an_endless_answer_flows_and_ends_quietly_when_nobody_reads_on(database: Path) -> None:
    """Were it gathered first, this would not end; were the broken pipe a failure, a script with pipefail would stop."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", "sql", "from range(1_000_000_000_000)", "--database", str(database)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert [process.stdout.readline() for _ in range(3)] == [b"range\n", b"0\n", b"1\n"]
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""


def on_a_terminal(*words: str, **environment: str) -> str:
    """What the command writes where standard output is a terminal of 100 columns."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", *words],
        cwd=PROJECT,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm", **environment},
        stdout=its,
        stderr=subprocess.STDOUT,
    ) as process:
        os.close(its)
        written = bytearray()
        while True:
            try:
                written += os.read(ours, 1 << 16)
            except OSError:
                break
        os.close(ours)
        process.wait()
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_gets_tables_in_colour_unless_it_is_told_not_to(database: Path) -> None:
    words = ("funnel", "st-1", "--database", str(database))
    assert "\x1b[36m████" in on_a_terminal(*words)
    without = on_a_terminal(*words, NO_COLOR="1")
    assert "\x1b[3" not in without
    assert "Onboarding, week 1 (st-1)" in without


@pytest.mark.parametrize("form", ["--table", "--csv", "--json"])
def test_hostile_ids_never_reach_a_terminal_as_they_are(database: Path, form: str) -> None:
    shown = on_a_terminal("who", HOSTILE, form, "--database", str(database), NO_COLOR="1")
    assert "evil" in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown
    if form == "--json":
        assert json.loads(shown)["participants"][0]["participant_id"] == HOSTILE


def test_ids_and_numbers_are_never_cut_only_names_are() -> None:
    console = Console(width=20, file=io.StringIO())
    put_lines(
        console, Headings(("id", "name", "n"), right=["n"], shrink="name"), [["x" * 30, "long name here", "12,345"]]
    )
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.splitlines()[1].split("  ") == ["x" * 30, "long name h…", "12,345"]


def test_sql_on_a_terminal_shows_the_first_rows_and_says_so(ask: Asked) -> None:
    shown = ask("sql", "from range(1_000_000_000)", "--table")
    assert shown.stdout.splitlines()[-2:] == [
        "  199",
        "… only the first 200. More: --limit N, or into a file: --csv > FILE.csv",
    ]
    assert "No rows." in ask("sql", "from range(0)", "--table").stdout


def test_forecasts_are_what_the_mart_says(ask: Asked, database: Path) -> None:
    """JSON in a pipe, for scripts that invite; of one study or all."""
    found = json.loads(ask("forecast").stdout)["studies"]
    with reading(database) as connection:
        mart = connection.execute("select study_id, completed, too_little_known from marts.study_forecast").fetchall()
    assert sorted((one["study_id"], one["completed"], one["too_little_known"]) for one in found) == sorted(mart)
    assert [one["study_id"] for one in json.loads(ask("forecast", "st-3").stdout)["studies"]] == ["st-3"]
    assert "future invitations are not counted" in ask("forecast", "--table").stdout.lower()


def test_lists_are_those_of_the_marts(ask: Asked, database: Path) -> None:
    """Whoever exports to_nudge.csv and whoever asks here must find the same people in the same order."""

    def listed(column: str, *words: str) -> list[str]:
        return [row[column] for row in csv.DictReader(io.StringIO(ask(*words).stdout))]

    with reading(database) as connection:

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


def test_lists_as_json_have_totals_of_all_rows(ask: Asked) -> None:
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
    assert when_full(row) == "by 14 Aug (80 %: 10 Aug to 21 Aug)"
    assert when_full(row | {"latest_80_on": None}) == "by 14 Aug, not sure"
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

    assert said() == "full by 14 Aug (80 %: 10 Aug to 21 Aug); invite 35 more today"
    assert said(invite_80=0) == "full by 14 Aug (80 %: 10 Aug to 21 Aug)"
    assert said(too_little_known=True, invite_by=None, invite_80=None) == "too little known"
    assert said(full_on_50=None, invite_80=None).endswith("too little known to say how many to invite")
    assert said(is_unreliable=True, came_true_80=20, judged_80=40).endswith("only 20 of 40 came true")
    assert said(is_closed=True) == ""


def test_a_forecast_is_shown_with_its_record(ask: Asked, database: Path) -> None:
    """Of the study, or of all where it has too few cases; a warning only where it came true too seldom."""
    assert "80 % came true" not in ask("forecast", "--table").stdout, "there was no backtest"
    with connect(database) as connection:
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
        with connect(database) as connection:
            connection.execute("drop table state.forecast_record")


def test_people_contacted_too_much_are_those_over_a_limit_now(ask: Asked, database: Path) -> None:
    with reading(database) as connection:
        over = connection.execute(
            "select distinct person_id from contact_limits, built_as_of "
            "where in_window_now > at_most and last_exceeded_at + to_days(within_days) > as_of order by all"
        ).fetchall()
    rows = list(csv.DictReader(io.StringIO(ask("contacted").stdout), strict=True))
    assert sorted(row["person_id"] for row in rows) == [person for (person,) in over]
    assert json.loads(ask("contacted", "--json").stdout)["totals"] == {"people": len(over)}


def test_before_a_build_it_says_what_to_run(ask: Asked, tmp_path: Path) -> None:
    events, database = tmp_path / "events.jsonl", tmp_path / "w.duckdb"
    events.write_text(json.dumps(line("p", "s", "NOT_STARTED", None, 0)) + "\n")
    with connect(database) as connection:
        load(connection, [events])
    for words in (["studies"], ["funnel", "s"], ["forecast"], ["stalled"], ["contacted"], ["backlog"], ["who", "p"]):
        answered = ask(*words, "--database", str(database))
        assert (answered.returncode, "not been built" in answered.stderr) == (1, True)
    count = "select count(*) as n from raw.deliveries"
    assert ask("sql", count, "--database", str(database)).stdout == "n\n1\n"


def test_an_empty_warehouse_has_empty_lists(ask: Asked, product: Product, tmp_path: Path) -> None:
    database = str(make(product, tmp_path, []))
    for command in ("stalled", "invitable", "contacted", "backlog"):
        assert ask(command, "--table", "--database", database).stdout.endswith("\nNobody.\n")
    assert json.loads(ask("studies", "--json", "--database", database).stdout)["studies"] == []
    assert json.loads(ask("backlog", "--json", "--database", database).stdout)["participants"] == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("studyflow backl", ["backlog"]),
        ("studyflow funnel st-", ["st-1", "st-2", "st-3"]),
        ("studyflow who p-", ["p-1", "p-2", "p-3", "p-4", "p-5", "p-gap"]),
        ("studyflow stalled --study st-", ["st-1", "st-2", "st-3"]),
        ("studyflow stalled --action re", ["remind"]),
        ("studyflow backlog --state un", ["unclaimed", "undelivered"]),
        ('studyflow sql "from marts.peo', ["from marts.people"]),
        ("studyflow funnel --database /nowhere st-", []),
    ],
)
def test_the_shell_is_offered_what_is_there_and_never_an_error(
    database: Path,
    typed: str,
    offered: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ids that a shell would not take as one plain word are not offered."""
    monkeypatch.setenv("STUDYFLOW_DATABASE", str(database))
    monkeypatch.setenv("_STUDYFLOW_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(2 if '"' in typed else typed.count(" ")))
    with pytest.raises(SystemExit):
        app(prog_name="studyflow")
    said = capsys.readouterr()
    assert ([line for line in said.out.splitlines() if line], said.err) == (offered, "")
