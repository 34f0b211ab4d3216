"""What the receiver writes is what the loader reads: every delivery as it came, those of Rally on the fast path."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiving import SECRET
from test_judge import PYTHON, RALLY, canonical, duckdb_only, read_by_duckdb  # noqa: F401 - duckdb_only is a fixture

from pipelines.load.judge import judge
from pipelines.receive import runs
from pipelines.receive.commits import GroupCommit
from pipelines.receive.files import envelope_line
from pipelines.receive.signatures import SECRETS

ARRIVED = datetime(2026, 7, 31, 18, 0, 0, 120, tzinfo=UTC)


@pytest.mark.parametrize("separators", [RALLY, PYTHON], ids=["Rally", "Python"])
@pytest.mark.parametrize("prior", ["NOT_STARTED", None])
def test_duckdb_takes_what_rally_sends_without_asking_the_judge(
    duckdb_only: duckdb.DuckDBPyConnection,  # noqa: F811
    separators: tuple[str, str],
    prior: str | None,
) -> None:
    """The judge costs three times as much a line as all the rest of a load."""
    line = envelope_line("msg_1", ARRIVED, canonical(separators, priorStatus=prior))
    assert read_by_duckdb(duckdb_only, [line]) == {line: judge(line)[0]}
    assert (judge(line)[0].svix_id, judge(line)[0].received_at) == ("msg_1", ARRIVED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text().map(str.encode)
    | st.builds(lambda value, indent: json.dumps(value, indent=indent).encode(), JSON, st.sampled_from([None, 1]))
)
def test_any_body_is_one_line_and_comes_out_as_it_came(body: bytes) -> None:
    line = envelope_line("msg_1", ARRIVED, body)
    assert (line.count(b"\n"), line[-1:], line.count(b"\r")) == (1, b"\n", 0)
    kept = json.loads(line)["payload"]
    is_text = kept == body.decode() and not isinstance(kept, (dict, list))
    assert is_text or kept == json.loads(body)


def test_lines_that_wait_become_durable_together() -> None:
    """A flush takes milliseconds: one for each delivery would be a few hundred a second."""
    batches: list[Sequence[bytes]] = []

    async def keep_many() -> list[BaseException | None]:
        commits = GroupCommit(batches.append)
        kept = await asyncio.gather(*(commits.keep(b"%d" % number) for number in range(50)), return_exceptions=True)
        await commits.close()
        return kept

    assert asyncio.run(keep_many()) == [None] * 50
    assert [len(batch) for batch in batches] == [50]


def test_each_that_waits_learns_of_a_disk_that_failed_and_the_next_is_tried_again() -> None:
    tries: list[int] = []

    def fail_once(lines: Sequence[bytes]) -> None:
        tries.append(len(lines))
        if len(tries) == 1:
            raise OSError(28, "No space left on device")

    async def keep() -> list[BaseException | None]:
        commits = GroupCommit(fail_once)
        failed = await asyncio.gather(*(commits.keep(b"") for _ in range(3)), return_exceptions=True)
        kept = await asyncio.gather(commits.keep(b""), return_exceptions=True)
        closing = asyncio.gather(commits.keep(b""), commits.keep(b""))
        await asyncio.sleep(0)
        await commits.close()
        return [*failed, *kept, *await closing]

    assert [type(one) for one in asyncio.run(keep())] == [OSError] * 3 + [type(None)] * 3
    assert tries == [3, 1, 2]


def test_runs_beside_the_receiver_get_no_secrets_and_end_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run needs none, and what it starts would hand them on."""
    (tmp_path / "webhooks-2026-07-31-000001.jsonl").touch()
    told, stopped = tmp_path / "told", tmp_path / "stopped"
    os.mkfifo(told)
    program = tmp_path / "python"
    program.write_text(
        f'#!/bin/sh\ntrap "touch {stopped}; exit 130" TERM\n{{ env; echo "$@"; }} > {told}\n'
        "while :; do read -t 1 nothing < /dev/zero; done\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv(SECRETS, SECRET)
    monkeypatch.setenv("STUDYFLOW_DATABASE", "team.duckdb")

    async def run_until_told() -> str:
        running = asyncio.create_task(runs.run_every(900, tmp_path, ["--report", "--keep", "60"]))
        said = await asyncio.to_thread(told.read_text)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return said

    said = asyncio.run(run_until_told())
    assert said.splitlines()[-1] == f"-m pipelines run --raw {tmp_path} --log-json --report --keep 60"
    assert "STUDYFLOW_DATABASE=team.duckdb" in said
    assert "whsec_" not in said
    assert stopped.exists()
