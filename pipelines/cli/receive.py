"""The command `receive`."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import app, setting
from pipelines.errors import StudyflowError

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
MEGABYTE = 1 << 20
LAST_PORT = 65_535


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        msg = f"{text!r} is not an address and a port, e.g. 127.0.0.1:8000 or [::]:8000"
        raise typer.BadParameter(msg)
    return text


def _interval(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[1-9]\d*[smh]", text):
        msg = f"{text!r} is not a time between runs, e.g. 90s, 15m or 6h"
        raise typer.BadParameter(msg)
    return text


ReceiveFolder = Annotated[
    Path | None,
    setting(
        "receive-folder",
        "The folder to which the receiver writes deliveries. The receiver starts a new file at least once a day.",
    ),
]
Listen = Annotated[str, setting("listen", "Address and port of the receiver.", callback=_address, metavar="HOST:PORT")]


@contextmanager
def receiver_is_installed() -> Iterator[None]:
    """Turn an ImportError into a message that says how to install the receiver's packages.

    Raises:
        StudyflowError: a package is missing.
    """
    try:
        yield
    except ImportError as error:
        msg = f'The receiver needs more packages ({error.name} is missing): pip install "studyflow[receive]"'
        raise StudyflowError(msg) from error


@app.command()
def receive(
    run_options: Annotated[
        list[str] | None,
        typer.Argument(
            help="Options for the runs that --run-every starts. Put -- before them.", metavar="-- RUN_OPTIONS"
        ),
    ] = None,
    folder: ReceiveFolder = None,
    listen: Listen = "127.0.0.1:8000",
    run_every: Annotated[
        str | None,
        setting("run-every", "Also run the pipeline at this interval, e.g. 15m.", callback=_interval, metavar="TIME"),
    ] = None,
    file_mb: Annotated[int, setting("file-mb", "Start a new file at this size.", min=1, metavar="MB")] = 64,
    body_mb: Annotated[
        int, setting("body-mb", "Refuse deliveries larger than this, with HTTP status 413.", min=1, metavar="MB")
    ] = 1,
) -> None:
    """Receive webhooks from Rally over HTTP and write each to a file before acknowledging it."""
    folder = _folder(folder)
    with receiver_is_installed():
        from pipelines.receive.receiver import ReceiverSettings
        from pipelines.receive.runs import run_every as run_pipeline_every
        from pipelines.receive.server import serve
        from pipelines.receive.signatures import read_secrets

    settings = ReceiverSettings(folder, tuple(read_secrets(os.environ)), file_mb * MEGABYTE, body_mb * MEGABYTE)
    host, _, port = listen.rpartition(":")
    background = []
    if run_every:
        seconds = int(run_every[:-1]) * UNIT_SECONDS[run_every[-1]]
        background.append(partial(run_pipeline_every, seconds, settings.folder, run_options or []))
    serve(settings, host.strip("[]"), int(port), background)


def _folder(folder: Path | None) -> Path:
    if folder is None:
        msg = "Say where deliveries are to be written: --receive-folder FOLDER or STUDYFLOW_RECEIVE_FOLDER."
        raise StudyflowError(msg)
    if not folder.is_dir():
        msg = f"{folder}: there is no such folder. Create it, or mount the disk that it is on."
        raise StudyflowError(msg)
    return folder.absolute()
