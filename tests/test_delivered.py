"""A run that is done ends as done, whatever became of the terminal; and the chat hears of every run that does not."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from processes import PROJECT

from pipelines import chat
from pipelines.chat import check_target, send
from pipelines.cli import main
from pipelines.errors import StudyflowError
from pipelines.outcome import Outcome

HELLO = {"text": "hello"}


class Chat(BaseHTTPRequestHandler):
    """A chat that gives some answers, then takes what comes."""

    answers: list[tuple[int, dict[str, str]]]
    taken: list[Any]

    def do_POST(self) -> None:
        """Answer as told."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200:
            self.taken.append(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def chat_that_answers(*answers: int | tuple[int, dict[str, str]]) -> Iterator[tuple[str, type[Chat]]]:
    """The address of a chat, and what it took."""
    given = [(one, {}) if isinstance(one, int) else one for one in answers]
    handler = type("OneChat", (Chat,), {"answers": given, "taken": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/secret", handler
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the chat was left alone between tries; nobody waits for it here."""
    seconds: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", seconds.append)
    return seconds


@pytest.mark.parametrize("answers", [(200,), (201,), (204,), (503, 429, 200)])
def test_a_chat_that_takes_the_message_has_it_once(answers: tuple[int, ...]) -> None:
    with chat_that_answers(*answers) as (address, _):
        send(HELLO, address)


@pytest.mark.parametrize(
    "answers",
    [
        (302, {"Location": "/elsewhere"}),
        (301, {"Location": "https://example.com"}),
        (304, {}),
        (400, {}),
        (404, {}),
        (410, {}),
    ],
)
def test_only_2xx_says_that_it_was_delivered(answers: tuple[int, dict[str, str]]) -> None:
    """Slack answers a hook that is gone with 302, and the page behind it with 200."""
    with chat_that_answers(answers) as (address, handler), pytest.raises(StudyflowError) as told:
        send(HELLO, address)
    assert f"127.0.0.1 did not accept the summary: it answered {answers[0]}" in str(told.value)
    assert "secret" not in str(told.value)
    assert handler.taken == [], "it is not followed"


def test_a_chat_that_stays_out_of_order_is_an_error_that_keeps_the_secret() -> None:
    with chat_that_answers(500, 500, 500, 500) as (address, handler), pytest.raises(StudyflowError) as told:
        send(HELLO, address)
    assert "127.0.0.1" in str(told.value)
    assert "secret" not in str(told.value)
    assert handler.taken == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_chat_that_wants_to_be_left_alone_for_an_hour_is_not(slept: list[float], status: int) -> None:
    with chat_that_answers((status, {"Retry-After": "3600"}), (status, {"Retry-After": "2"})) as (address, handler):
        send(HELLO, address)
    assert handler.taken == [HELLO]
    assert slept == [10, 2]


def test_a_chat_that_never_ends_its_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends a byte before each time limit."""
    monkeypatch.setattr(chat, "MAX_WAIT_SECONDS", 0.2)
    goes_on = threading.Event()
    monkeypatch.setattr(Chat, "do_POST", lambda _: goes_on.wait(60))
    with chat_that_answers() as (address, _):
        with pytest.raises(StudyflowError, match=r"127.0.0.1 did not accept the summary within"):
            send(HELLO, address)
        goes_on.set()


@pytest.mark.parametrize(
    "target",
    [
        "htps://hooks.example.com/services/T0/B0/token",
        "https//hooks.example.com/services/T0/B0/token",
        "https:/hooks.example.com/services/T0/B0/token",
        "hooks.example.com/services/T0/B0/token",
        '"https://hooks.example.com/services/T0/B0/token"',
        "'https://hooks.example.com/services/T0/B0/token'",
        " https://hooks.example.com/services/T0/B0/token",
        "https://hooks.example.com/services/T0/B0/token ",
        "https://hooks.example.com/services/T0 B0/token",
        "https:///services/T0/B0/token",
        "https://",
        "http://[::1/token",
        "http://[token]/",
        "http://hooks.example.com:token/",
        "http://hooks.example.com:99999/token",
        "ftp://hooks.example.com/token.json",
        "slack://token",
        "token",
        "services/T0/B0/token.json",
        '"token.json"',
        "https://hooks.example.com/token\n.json",
    ],
)
def test_an_address_with_a_typo_is_refused_and_not_repeated(target: str) -> None:
    """It is a secret all the same, and would be printed, logged, and made a file name."""
    with pytest.raises(StudyflowError) as told:
        check_target(target)
    assert "token" not in str(told.value)


def test_a_typo_in_the_address_is_not_repeated_by_the_command_either() -> None:
    done = command("run", STUDYFLOW_CHAT="htps://hooks.example.com/services/T0/B0/token")
    assert done.returncode == 2
    assert "STUDYFLOW_CHAT" in done.stderr
    assert "token" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "target", ["https://hooks.example.com/services/T0/B0/token", "http://[::1]:8080/", "HTTP://localhost/a?b=c"]
)
def test_an_address_is_one(target: str) -> None:
    check_target(target)


def test_a_message_that_cannot_be_written_keeps_the_name(tmp_path: Path) -> None:
    """It could be an address in disguise."""
    (tmp_path / "token.json").mkdir()
    with pytest.raises(StudyflowError) as told:
        send(HELLO, str(tmp_path / "token.json"))
    assert "token" not in str(told.value)


def command(*words: str | Path, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in which these statements are run first."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STUDYFLOW_")}
    return subprocess.run(
        [sys.executable, "-c", f"{before}\nfrom pipelines.cli import main; main()", *map(str, words)],
        cwd=PROJECT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


AT_WORK = """
import os, signal, pipelines.run
def load_files(settings, *_, **__):
    settings.database.with_name("draft").write_text("a draft")
    signal.raise_signal(signal.{signal})
pipelines.run.load_files = load_files
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_is_stopped_says_so_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    """A closed terminal left a whole copy of the warehouse, and the chat heard of none of them."""
    told, database = tmp_path / "chat.json", tmp_path / "w.duckdb"
    heeded = f"import signal; signal.signal(signal.{name}, signal.SIG_DFL)"  # also if these tests run under nohup
    done = command(
        *("run", "--raw", tmp_path, "--database", database, "--exports", tmp_path / "exports", "--log-json"),
        before=heeded + AT_WORK.format(signal=name),
        STUDYFLOW_CHAT=str(told),
    )
    assert done.returncode == 130, done.stderr
    assert f"stopped by {name}" in json.loads(told.read_text())["text"]
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["run started", "problem", "run finished"]
    assert f"stopped by {name}" in events[1]["problem"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat.json"]


def test_under_nohup_a_closed_terminal_stops_nothing(tmp_path: Path) -> None:
    before = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + AT_WORK.format(signal="SIGHUP")
    done = command("run", "--raw", tmp_path, "--database", tmp_path / "w.duckdb", before=before)
    assert done.returncode != 130
    assert "stopped" not in done.stderr


FAILURES = {
    "duckdb.OutOfMemoryException('Out of Memory Error: p-secret')": "",
    "OSError(28, 'No space left on device', '/data/w')": "No space left on device",
    "MemoryError()": "not enough memory",
    "KeyError('p-secret')": "unexpected error (KeyError)",
    "duckdb.ConversionException('p-secret')": "unexpected error (ConversionException)",
    "RecursionError()": "unexpected error (RecursionError)",
    "StudyflowError('a file is missing')": "a file is missing",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_however_a_run_fails_the_chat_learns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: str
) -> None:
    """It learns no ids, though, which an error that nobody expected may have in its text. The log has everything."""

    def fail(*_: object, **__: object) -> None:
        raise eval(failure, {"duckdb": duckdb, "StudyflowError": StudyflowError})  # noqa: S307

    monkeypatch.setattr("pipelines.run.load_files", fail)
    told = tmp_path / "chat.json"
    monkeypatch.setenv("STUDYFLOW_CHAT", str(told))
    monkeypatch.setattr("pipelines.stopping.handle_signals", lambda: None)
    words = ["run", "--raw", tmp_path, "--database", tmp_path / "w.duckdb", "--exports", tmp_path / "x", "--log-json"]
    monkeypatch.setattr(sys, "argv", ["studyflow", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert FAILURES[failure] in json.loads(told.read_text())["text"]
    assert "the run failed" in json.loads(told.read_text())["text"]
    if "unexpected" in FAILURES[failure]:
        assert "secret" not in told.read_text()
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["event"] for event in events] == ["run started", "problem", "run finished"], "and nothing else"
    assert events[-1]["exit_code"] == 1


def test_a_run_that_is_called_wrongly_tells_the_chat(tmp_path: Path) -> None:
    """Whoever changed the variables of a schedule does not look at its log."""
    told = tmp_path / "chat.json"
    done = command("run", STUDYFLOW_CHAT=str(told), STUDYFLOW_WAIT="soon")
    assert done.returncode == 2
    assert "STUDYFLOW_WAIT" in json.loads(told.read_text())["text"]
    done = command("run", "--pseudonymise", STUDYFLOW_CHAT=str(told))
    assert done.returncode == 2
    assert "STUDYFLOW_PSEUDONYM_KEY" in json.loads(told.read_text())["text"]


DONE = """
import pipelines.run
from pipelines.outcome import Outcome
pipelines.run.run_all = lambda settings, *_, **__: Outcome(settings)
"""


ANOTHER_START = pytest.mark.slow(reason="Python starts for each; the ways that differ most are tried always")


@pytest.mark.parametrize(
    ("options", "redirection"),
    [
        ("", "| true"),
        ("", ">/dev/full 2>&1"),
        ("", "<&- >&- 2>&-"),
        ("--log-json", "2>&1 | true"),
        pytest.param("", "", marks=ANOTHER_START),
        pytest.param("", ">/dev/full", marks=ANOTHER_START),
        pytest.param("--json", "| true", marks=ANOTHER_START),
        pytest.param("--json", ">/dev/full", marks=ANOTHER_START),
        pytest.param("--log-json", ">/dev/full 2>&1", marks=ANOTHER_START),
    ],
)
def test_a_run_that_is_done_is_done_whatever_its_terminal_takes(tmp_path: Path, options: str, redirection: str) -> None:
    """A scheduler would run it again, or mail somebody."""
    script = f'"$0" -c "$1" run --database "$2" {options} {redirection}; exit "${{PIPESTATUS[0]}}"'
    main = f"{DONE}\nfrom pipelines.cli import main; main()"
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, main, str(tmp_path / "caf\u00e9 \u2713 \U0001f600.duckdb")],
        cwd=PROJECT,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "STUDYFLOW_CHAT": str(tmp_path / "chat.json")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "done" in json.loads((tmp_path / "chat.json").read_text())["text"]


def test_no_file_that_is_opened_becomes_standard_output(tmp_path: Path) -> None:
    """The warehouse would, where a service starts without one: whatever is printed would be written into it."""
    script = (
        "from pipelines import streams; streams.prepare(); import os, sys; "
        f"file = os.open({str(tmp_path / 'w')!r}, os.O_CREAT | os.O_RDWR); print('text', flush=True); "
        "print('text', file=sys.stderr, flush=True); os.write(1, b'text'); os.write(2, b'text')"
    )
    subprocess.run(["bash", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, script], cwd=PROJECT, check=True)
    assert (tmp_path / "w").read_bytes() == b""


def test_the_chat_is_told_before_anything_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Printing may take for ever, or end the process: `| less`."""
    printed = []
    monkeypatch.setattr("pipelines.run.run_all", lambda settings, *_, **__: Outcome(settings))
    monkeypatch.setattr("pipelines.chat.send", lambda *_: printed.append(capsys.readouterr().out))
    monkeypatch.setattr("pipelines.stopping.handle_signals", lambda: None)
    monkeypatch.setattr(sys, "argv", ["studyflow", "run", "--chat", str(tmp_path / "chat.json")])
    with pytest.raises(SystemExit):
        main()
    assert printed == [""]
    assert "warehouse" in capsys.readouterr().out
