"""Answers on a terminal: golden pages, colour, and no byte of an id that a terminal would obey."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from ask_warehouse import GOLDEN, HOSTILE, pages
from hypothesis import given
from hypothesis import strategies as st
from processes import PROJECT
from rich.console import Console

from pipelines.ask.show import Headings, print_columns
from pipelines.cli import app
from pipelines.plain import plain


def test_what_a_terminal_shows_is_what_it_was(ask_database: Path) -> None:
    """At 100 columns. `tests/ask_warehouse.py` writes new golden files; read what changed in them."""
    assert pages(ask_database) == {file.name: file.read_text(encoding="utf-8") for file in GOLDEN.iterdir()}


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left_in_plain_text(text: str) -> None:
    """Escape sequences, C1 controls, line ends, marks that turn text around."""
    assert not {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e", "\u2066", "\u2028"} & set(plain(text))
    assert plain(plain(text)) == plain(text)


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


def test_a_terminal_gets_tables_in_colour_unless_it_is_told_not_to(ask_database: Path) -> None:
    words = ("funnel", "st-1", "--database", str(ask_database))
    assert "\x1b[36m████" in on_a_terminal(*words)
    without = on_a_terminal(*words, NO_COLOR="1")
    assert "\x1b[3" not in without
    assert "Onboarding, week 1 (st-1)" in without


@pytest.mark.parametrize("form", ["--table", "--csv", "--json"])
def test_hostile_ids_never_reach_a_terminal_as_they_are(ask_database: Path, form: str) -> None:
    shown = on_a_terminal("who", HOSTILE, form, "--database", str(ask_database), NO_COLOR="1")
    assert "evil" in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown
    if form == "--json":
        assert json.loads(shown)["participants"][0]["participant_id"] == HOSTILE


def test_ids_and_numbers_are_never_cut_only_names_are() -> None:
    console = Console(width=20, file=io.StringIO())
    print_columns(
        console, Headings(("id", "name", "n"), right=["n"], shrink="name"), [["x" * 30, "long name here", "12,345"]]
    )
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.splitlines()[1].split("  ") == ["x" * 30, "long name h…", "12,345"]


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
    ask_database: Path,
    typed: str,
    offered: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ids that a shell would not take as one plain word are not offered."""
    monkeypatch.setenv("STUDYFLOW_DATABASE", str(ask_database))
    monkeypatch.setenv("_STUDYFLOW_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(2 if '"' in typed else typed.count(" ")))
    with pytest.raises(SystemExit):
        app(prog_name="studyflow")
    said = capsys.readouterr()
    assert ([line for line in said.out.splitlines() if line], said.err) == (offered, "")
