"""Runs `studyflow run` at intervals beside the receiver, in a process of its own."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipelines import logs
from pipelines.receive.files import delivery_files
from pipelines.receive.signatures import SECRETS, SECRETS_FILE

STOP_SECONDS = 15
NICENESS = 10


async def run_every(seconds: float, folder: Path, options: Sequence[str]) -> None:
    """Run the pipeline on the folder at this interval until cancelled. A run in progress is then stopped."""
    loop = asyncio.get_running_loop()
    while True:
        next_run = loop.time() + seconds
        try:
            if delivery_files(folder):
                await _run(folder, options)
        except OSError as error:
            logs.log_problem(f"the pipeline cannot be started: {error.strerror or error}.")
        await asyncio.sleep(max(0.0, next_run - loop.time()))


async def _run(folder: Path, options: Sequence[str]) -> None:
    # A run does not need the signing secrets.
    environment = {name: value for name, value in os.environ.items() if name not in {SECRETS, SECRETS_FILE}}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipelines", "run", "--raw", str(folder), "--log-json", *options),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)  # deliveries go first
    try:
        code = await process.wait()
        logs.log("pipeline finished", exit_code=code)
    finally:
        if process.returncode is None:
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()  # a run that is stopped leaves the warehouse unchanged
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
