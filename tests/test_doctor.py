"""What `studyflow doctor` says of a receiver that works, and of each thing that can be wrong with it."""

import json
import shutil
from collections import namedtuple
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from receiving import OLD_SECRET, PATH, SECRET, WRONG_SECRET, RunningReceiver, receiver
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.doctor.diagnoses import Diagnosis
from pipelines.doctor.pipeline import check_warehouse
from pipelines.doctor.probe import follow_test_delivery
from pipelines.doctor.receiver import after_outage, check_folder, check_receiver, check_secrets
from pipelines.receive.files import delivery_files, last_received
from pipelines.warehouse import connect, raw_tables_ddl

NOW = datetime(2026, 7, 31, 18, tzinfo=UTC)
HEALTHY = {
    "ready": True,
    "problem": None,
    "lines_today": 3,
    "clock_skew_seconds": 0.4,
    "refused": {"headers": 9, "time": 0, "signature": 0},
}
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil has it


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningReceiver]:
    """A receiver for all tests."""
    with receiver(tmp_path_factory.mktemp("webhooks")) as started:
        yield started


def levels(diagnoses: Iterable[Diagnosis]) -> dict[str, str]:
    return {diagnosis.check: diagnosis.level for diagnosis in diagnoses}


def url(running: RunningReceiver) -> str:
    return f"http://127.0.0.1:{running.port}{PATH}"


def test_a_test_delivery_is_followed_into_a_table(running: RunningReceiver, tmp_path: Path) -> None:
    """All that a new team has to get right, in one command."""
    running.deliver()
    arrived = last_received(running.folder)
    assert arrived
    options = [
        "--receive-folder",
        str(running.folder),
        "--listen",
        f"127.0.0.1:{running.port}",
        "--send-to",
        url(running),
    ]
    told = ["doctor", *options, "--database", str(tmp_path / "w.duckdb")]
    done = CliRunner().invoke(app, [*told, "--json"], env={"STUDYFLOW_WEBHOOK_SECRETS": f"{SECRET} {OLD_SECRET}"})
    said = json.loads(done.stdout)
    assert last_received(running.folder) == arrived, "a test says nothing of whether Rally's deliveries arrive"
    assert running.get_json("/health")[1]["last_delivery"] == arrived.isoformat(timespec="seconds").replace(
        "+00:00", "Z"
    )
    assert (done.exit_code, said["ok"]) == (0, True), done.output
    found = {(diagnosis["check"], diagnosis["level"]) for diagnosis in said["diagnoses"]}
    expected = ("secrets", "folder", "room", "last delivery", "receiver", "clock", "test delivery")
    assert found == {(check, "ok") for check in expected} | {("warehouse", "warning")}
    assert "a load puts it into raw.deliveries" in done.stdout
    for_people = CliRunner().invoke(app, told, env={"STUDYFLOW_WEBHOOK_SECRETS": WRONG_SECRET})
    assert for_people.exit_code == 1
    text = " ".join(for_people.stdout.split())
    for words in ("answered 401 (Unauthorized)", "has another secret", "1 problem and 1 warning."):
        assert words in text
    assert "whsec" not in done.output + for_people.output


def test_without_a_receiver_the_warehouse_is_checked(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--database", str(tmp_path / "w.duckdb")])
    assert done.exit_code == 0
    assert "no receiver is configured here" in done.stdout


def test_a_delivery_that_goes_elsewhere_is_missed(running: RunningReceiver, tmp_path: Path) -> None:
    *_, last = follow_test_delivery(url(running), tmp_path, {"STUDYFLOW_WEBHOOK_SECRETS": SECRET})
    assert (last.level, "writes elsewhere" in last.remedy) == ("problem", True)


@pytest.mark.parametrize(
    ("address", "found"), [("/nowhere", "404 (Not Found)"), (":1/webhooks", "no answer (ConnectionError)")]
)
def test_an_address_that_takes_nothing_is_a_problem(running: RunningReceiver, address: str, found: str) -> None:
    base = f"http://127.0.0.1:{running.port}" if address.startswith("/") else "http://127.0.0.1"
    [diagnosis] = follow_test_delivery(base + address, None, {"STUDYFLOW_WEBHOOK_SECRETS": SECRET})
    assert diagnosis.level == "problem"
    assert found in diagnosis.found


def test_a_file_of_secrets_that_everybody_can_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text(SECRET)
    file.chmod(0o644)
    diagnosis = check_secrets({"STUDYFLOW_WEBHOOK_SECRETS_FILE": str(file)})
    assert (diagnosis.level, diagnosis.remedy) == ("warning", f"chmod o-r {file}")
    file.chmod(0o600)
    assert check_secrets({"STUDYFLOW_WEBHOOK_SECRETS_FILE": str(file)}).level == "ok"
    assert check_secrets({}).level == "problem"


def test_a_receiver_that_does_not_answer_is_a_problem(running: RunningReceiver) -> None:
    [diagnosis] = check_receiver("127.0.0.1:1", running.folder)
    assert diagnosis.level == "problem"
    assert "listens on another address" in diagnosis.remedy, "the folder is locked"


@pytest.mark.parametrize(
    ("health", "check", "level", "said"),
    [
        ({}, "clock", "ok", "0 s ahead of Svix's"),
        ({"clock_skew_seconds": -95.0}, "clock", "problem", "95 s behind Svix's"),
        ({"clock_skew_seconds": None}, "clock", "skipped", "not known"),
        ({"ready": False, "problem": "No space left on device"}, "receiver", "problem", "No space left on device"),
        (
            {"refused": {"headers": 0, "time": 2, "signature": 0}},
            "refused",
            "warning",
            "2 deliveries because of their time",
        ),
        (
            {"refused": {"headers": 0, "time": 0, "signature": 1}},
            "refused",
            "warning",
            "1 delivery because of their signature",
        ),
    ],
)
def test_what_the_receiver_says_is_understood(
    monkeypatch: pytest.MonkeyPatch, health: dict[str, Any], check: str, level: str, said: str
) -> None:
    answer = requests.Response()
    answer._content = json.dumps(HEALTHY | health).encode()  # noqa: SLF001 - there is no other way to make one
    monkeypatch.setattr(requests, "get", lambda *_, **__: answer)
    [diagnosis] = [one for one in check_receiver("127.0.0.1:8000", None) if one.check == check]
    assert diagnosis.level == level
    assert said in diagnosis.found


def test_room_is_told_in_days(running: RunningReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    running.deliver()
    size = sum(file.stat().st_size for file in delivery_files(running.folder))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 200 << 20))
    days = (200 << 20) / (size / 7)
    [room] = [one for one in check_folder(running.folder) if one.check == "room"]
    assert (room.level, room.found) == ("ok", f"200 MB free, enough for {days:,.0f} days like the last 7")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 99 << 20))
    assert levels(check_folder(running.folder))["room"] == "problem"


@pytest.mark.parametrize(("age", "level"), [(-3600, "problem"), (3600, "ok"), (90_000, "warning")])
def test_the_last_delivery_is_read_from_the_files(tmp_path: Path, age: int, level: str) -> None:
    """The receiver may be down, which is when one asks."""
    assert levels(check_folder(tmp_path))["last delivery"] == "warning", "none yet"
    moment = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    line = '{"svix_id":"msg_1","received_at":"%s","payload":{}}\n' % moment  # noqa: UP031 - braces are JSON's
    (tmp_path / "webhooks-2026-07-31-000001.jsonl").write_text(line + '{"svix_id":"msg_torn')
    assert levels(check_folder(tmp_path))["last delivery"] == level


@pytest.mark.parametrize(
    ("outage", "said"),
    [
        (timedelta(hours=3), "you need not replay anything: Svix keeps trying for 27.6 hours"),
        (timedelta(hours=40), "deliveries from before 2026-07-30T14:24:55Z are marked as failed"),
        (timedelta(hours=40), "recover failed messages since 2026-07-30T02:00:00Z"),
        (timedelta(days=6), "enable it again there first"),
    ],
)
def test_an_outage_is_told_with_what_svix_does_and_what_is_left_to_do(outage: timedelta, said: str) -> None:
    assert said in after_outage(NOW - outage, NOW)
    assert ("enable it again" in after_outage(NOW - outage, NOW)) == (outage > timedelta(days=5))


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    [diagnosis] = check_folder(tmp_path / "nowhere")
    assert diagnosis.level == "problem"


def test_a_warehouse_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    with connect(database) as connection:
        connection.execute(raw_tables_ddl())
    [diagnosis] = check_warehouse(database, None)
    assert (diagnosis.level, "have not been built" in diagnosis.found) == ("warning", True)
    with connect(database) as connection:
        connection.execute(
            "create schema audit; create table audit.built_as_of as select '2026-07-31 18:00Z'::timestamptz as as_of"
        )
    (tmp_path / "webhooks-2026-07-31-000001.jsonl").write_text("{}\n")
    [diagnosis] = check_warehouse(database, tmp_path)
    assert (diagnosis.level, "deliveries are waiting to be loaded" in diagnosis.found) == ("warning", True)
    assert levels(check_warehouse(database, None)) == {"warehouse": "ok"}
    (tmp_path / "other.duckdb").write_text("no database")
    assert levels(check_warehouse(tmp_path / "other.duckdb", None)) == {"warehouse": "problem"}
