"""`studyflow sql`: it reads the warehouse and nothing else, and writes any value so that it can be read again."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ask_warehouse import Ask
from hypothesis import given
from hypothesis import strategies as st
from processes import PROJECT

from pipelines import logs
from pipelines.ask.stream import csv_lines, on_a_terminal
from pipelines.ask.values import as_json
from pipelines.ask.warehouse import QueryResult, ResultColumn


def test_sql_finds_tables_without_their_schema(ask: Ask) -> None:
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
def test_sql_only_reads_the_warehouse(ask: Ask, query: str, says: str) -> None:
    """Whoever is let near it can neither change it nor read or write anything else by it."""
    answered = ask("sql", query)
    assert (answered.returncode, answered.stdout) == (1, "")
    assert says in answered.stderr
    assert "Traceback" not in answered.stderr
    assert "\x1b" not in answered.stderr


def test_a_command_writes_no_log_because_one_before_it_did(ask: Ask) -> None:
    """A program that calls commands, like these tests, may have closed the stream of the first one's log."""
    logs.configure(as_json=True)
    assert ask("sql", "selec 1").stderr.startswith("studyflow: ")


def test_sql_comes_from_an_argument_standard_input_or_a_file(ask: Ask, ask_database: Path, tmp_path: Path) -> None:
    """With comments and a semicolon; of several statements the last one answers."""
    file = tmp_path / "q.sql"
    file.write_text(
        "\ufeffset variable study = 'st-1'; -- which\nselect getvariable('study') as study;\n", encoding="utf-8"
    )
    assert ask("sql", "--file", str(file)).stdout == "study\nst-1\n"
    piped = subprocess.run(
        [sys.executable, "-m", "pipelines", "sql", "-", "--database", str(ask_database)],
        input="select 'é' as é",
        cwd=PROJECT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert piped.stdout == "é\né\n"
    assert [ask("sql").returncode, ask("sql", "select 1", "--file", str(file)).returncode] == [2, 2]
    assert ask("sql", "select 1", "--csv", "--json").returncode == 2


def test_values_that_csv_and_json_lack_are_said_all_the_same(ask: Ask) -> None:
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
    result = QueryResult(tuple(ResultColumn(text, "VARCHAR") for text in texts), iter([tuple(texts)]))
    written = io.StringIO("".join(csv_lines(result)), newline="")
    assert list(csv.reader(written, strict=True)) == [texts, texts], "the header, then the row"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_any_value_is_read_from_json_as_it_was(value: Any) -> None:  # noqa: ANN401
    text = as_json(value)
    shown = on_a_terminal(text, is_json=True)
    assert json.loads(text) == json.loads(shown) == value
    assert shown.isascii()
    assert shown.isprintable()


def test_an_endless_answer_flows_and_ends_quietly_when_nobody_reads_on(ask_database: Path) -> None:
    """Were it gathered first, this would not end; were the broken pipe a failure, a script with pipefail would stop."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", "sql", "from range(1_000_000_000_000)", "--database", str(ask_database)],
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


def test_sql_on_a_terminal_shows_the_first_rows_and_says_so(ask: Ask) -> None:
    shown = ask("sql", "from range(1_000_000_000)", "--table")
    assert shown.stdout.splitlines()[-2:] == [
        "  199",
        "… only the first 200. More: --limit N, or into a file: --csv > FILE.csv",
    ]
    assert "No rows." in ask("sql", "from range(0)", "--table").stdout
