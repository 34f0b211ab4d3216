"""Whatever was acknowledged is in a file, however often and whenever the receiver is killed."""

import json
import random
import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inbox import Inbox
from receiving import RunningReceiver, Sender, files_in, receiver
from run_process import everything
from run_process import run as run_whole

from pipelines.generate import Recipe, generate
from pipelines.load.judge import judge
from pipelines.settings import Settings
from pipelines.warehouse import connect

AS_OF = datetime(2026, 8, 15, tzinfo=UTC)
DELIVERED = """
select participant_id, person_id, study_id, status, prior_status, updated_at
from raw.deliveries
where event_type = 'participant.status_changed' and reason is null
"""


def bodies_of(folder: Path, participants: int, most: int) -> list[bytes]:
    """Webhooks of an invented workspace, as Rally sends them."""
    generate(Recipe(participants=participants, studies=4, malformed=0, seed=11), folder / "made.jsonl")
    found = []
    for line in filter(None, (folder / "made.jsonl").read_bytes().splitlines()):
        document = json.loads(line)
        found.append(json.dumps(document.get("payload", document), separators=(",", ":")).encode())
    assert len(found) >= most
    return found[:most]


def deliver_all(folder: Path, bodies: list[bytes], connections: int, kills: int, after_kill: Any = None) -> Sender:  # noqa: ANN401
    """Send all bodies, while the receiver is killed at random moments and started again on the same port."""
    moments = sorted(random.Random(5).sample(range(len(bodies) - connections), kills))
    with ExitStack() as stack:
        running: RunningReceiver = stack.enter_context(receiver(folder))
        sender = Sender(running.port, bodies, connections)
        for moment in moments:
            sender.wait_for(moment)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
            if after_kill:
                after_kill()
            running = stack.enter_context(receiver(folder, running.port))
        sender.end()
        assert running.stop() == 0
    return sender


def check_files(folder: Path, sender: Sender, bodies: list[bytes], files: int) -> None:
    """Each delivery is there at least once, whole; only a killed receiver's last line may be torn."""
    assert sorted(sender.acknowledged) == list(range(len(bodies)))
    found: dict[str | None, Any] = {}
    for file in files_in(folder):
        *lines, rest = file.read_bytes().split(b"\n")
        for line in lines:
            found[judge(line)[0].svix_id] = json.loads(line)["payload"]
        assert rest == b"" or judge(rest)[0].reason == "invalid_json"
    assert found == {f"msg_{number}": json.loads(body) for number, body in enumerate(bodies)}
    assert 1 <= len(files_in(folder)) <= files


def marts_of(database: Path) -> dict[str, list[Any]]:
    """All marts but for how often a change was delivered: a delivery that is killed before its answer comes again."""
    with connect(database, read_only=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by all"
        ).fetchall()
        query = "select columns(lambda name: name <> 'deliveries') from marts.{} order by all"
        return {name: connection.execute(query.format(name)).fetchall() for (name,) in tables}


def test_killed_and_restarted_it_loses_nothing_that_it_acknowledged(box: Inbox, tmp_path: Path) -> None:
    """Loads go on meanwhile, from files that are being written and files that a kill broke off."""
    bodies = bodies_of(tmp_path, 60, 250)
    sender = deliver_all(box.folder, bodies, connections=8, kills=3, after_kill=box.load)
    check_files(box.folder, sender, bodies, files=4)
    box.load()
    loaded = set(box.connection.execute(DELIVERED).fetchall())
    [[rejected]] = box.connection.execute("select count(*) from raw.deliveries where reason is not null").fetchall()
    sent = {judge(body)[0][5:11] for body in bodies if judge(body)[0].outcome == "accepted"}
    assert (loaded, rejected) == (sent, 0)


@pytest.mark.soak(reason="50,000 deliveries; the test above sends some hundred and kills three times")
@pytest.mark.usefixtures("parsed_project")
def test_fifty_thousand_deliveries_and_thirty_kills(tmp_path: Path) -> None:
    """Then a whole run makes the same tables of what was kept as of what was sent."""
    bodies = bodies_of(tmp_path, 10_500, 50_000)
    kept, sent = tmp_path / "kept", tmp_path / "sent"
    kept.mkdir()
    sent.mkdir()
    sender = deliver_all(kept, bodies, connections=16, kills=30)
    check_files(kept, sender, bodies, files=31)
    (sent / "sent.jsonl").write_bytes(b"\n".join(bodies) + b"\n")
    made = {}
    for folder in (kept, sent):
        settings = Settings(
            (folder,), tmp_path / f"{folder.name}.w" / "w.duckdb", tmp_path / f"{folder.name}.csv", AS_OF
        )
        settings.database.parent.mkdir()
        run_whole(settings)
        made[folder] = marts_of(settings.database), everything(settings)[1]
    assert made[kept] == made[sent]
